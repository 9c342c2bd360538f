"use strict";

// Redoc makes style elements: the content policy lets them in by the page's nonce. Its search would
// need a worker made of text, which the policy refuses.
const { dataset, nonce } = document.currentScript;
Redoc.init(
  dataset.document,
  { nonce, disableSearch: true, hideDownloadButton: false },
  document.getElementById("redoc"),
);
