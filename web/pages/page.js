// The page at /: what stands in its address fills the persona's variables.

const ELEMENT = "../../avatar.js";

const call = document.querySelector("avatar-call");
const variables = Object.fromEntries(new URLSearchParams(location.search));
if (call && Object.keys(variables).length > 0) call.variables = variables;
import(ELEMENT).catch(() => import("./old.js"));
