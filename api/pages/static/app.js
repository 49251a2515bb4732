// What every page does in the browser. Each module starts itself.
import "./theme-switch.js";
import "./times.js";
import "./copy.js";
import "./keys.js";
import "./selection.js";
import "./connection.js";
import "./charts.js";
