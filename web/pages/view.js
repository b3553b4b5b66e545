// The viewer of a LiveKit room: #url=…&token=… says which, and leaves the address bar at once.

const ELEMENT = "../../avatar.js";

const { url = "", token = "" } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
history.replaceState(null, "", location.pathname);

const call = document.querySelector("avatar-call");
call?.setAttribute("room-url", url);
if (call) call.roomToken = token;
import(ELEMENT).catch(() => import("./old.js"));
