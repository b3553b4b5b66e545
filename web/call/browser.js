// Which browser this is. It is read by old ones, too, so it is written as they read it.

// The first one that is in the user agent: each names those after it.
const NAMES = {
  FxiOS: "Firefox",
  Firefox: "Firefox",
  Edg: "Edge",
  OPR: "Opera",
  SamsungBrowser: "Samsung Internet",
  CriOS: "Chrome",
  Chrome: "Chrome",
  Version: "Safari",
};

/** Its name and version, as people know it; "" if it is none of these. */
export function browserName(agent = navigator.userAgent) {
  for (const [mark, name] of Object.entries(NAMES)) {
    const found = agent.match(new RegExp(`${mark}[A-Za-z]*/(\\d+(\\.\\d+)?)`));
    if (found) return `${name} ${found[1].replace(/\.0$/, "")}`;
  }
  return "";
}

/** Whether it has all that cannot be done without: README.md says in which versions that is so. */
export function isAble() {
  return (
    "RTCPeerConnection" in window &&
    "adoptedStyleSheets" in Document.prototype &&
    CSS.supports("color", "color-mix(in oklab, red, red)") &&
    CSS.supports("width", "1cqi")
  );
}
