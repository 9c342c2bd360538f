// What pages gain from JavaScript. All of them work without.

import "./bank/menus.js";
import "./bank/forms.js";
import "./bank/keys.js";
import "./bank/staying.js";
import "./bank/copying.js";
import "./bank/sliders.js";
