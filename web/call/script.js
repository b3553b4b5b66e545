// Classic scripts of other parties, loaded only when a transport needs them.

/**
 * Loads `src`; with `integrity`, the browser refuses any file but the pinned one.
 * @param {string} src
 * @param {string} [integrity]
 */
export function loadScript(src, integrity) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    if (integrity) {
      script.integrity = integrity;
      script.crossOrigin = "anonymous";
    }
    script.onload = resolve;
    script.onerror = () => {
      script.remove();
      reject(new Error(`${src} could not be loaded`));
    };
    document.head.append(script);
  });
}
