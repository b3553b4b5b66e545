// The page at /: what stands in its address fills the persona's variables, and #link=… lets the visitor
// in; that leaves the address bar at once.

const ELEMENT = "../../avatar.js";

const call = document.querySelector("avatar-call");
const variables = Object.fromEntries(new URLSearchParams(location.search));
if (call && Object.keys(variables).length > 0) call.variables = variables;
takeLink();
window.addEventListener("hashchange", takeLink);
import(ELEMENT).catch(() => import("./old.js"));

// Also of a link that is opened where the page is already.
function takeLink() {
  const link = new URLSearchParams(location.hash.slice(1)).get("link");
  if (link) history.replaceState(null, "", location.pathname + location.search);
  if (call && link) call.accessLink = link;
}
