"use strict";

// Redoc's search would need a worker made of text, which the content policy refuses.
const { dataset } = document.currentScript;
Redoc.init(dataset.document, { disableSearch: true }, document.getElementById("redoc"));
