// The page of an embed: its server is the folder of its address, and what stands behind the address
// fills the variables of the context.

const ELEMENT = "../avatar.js";
const OLD = "../web/pages/old.js";

const call = document.querySelector("avatar-call");
const variables = Object.fromEntries(new URLSearchParams(location.search));
if (call) {
  call.server = location.pathname;
  if (Object.keys(variables).length > 0) call.variables = variables;
}
import(ELEMENT).catch(() => import(OLD));
