// The page that could not be loaded: a sentence says why.

import { browserName, isAble } from "../call/browser.js";
import { chooseLanguage, textsIn } from "../element/texts.js";

const text = textsIn(chooseLanguage([...navigator.languages]));
const said = document.createElement("p");
said.setAttribute("role", "alert");
said.textContent = isAble()
  ? text("notLoaded")
  : text("tooOld", { browser: browserName() || text("thisBrowser") });
const shell = document.querySelector(".shell") || document.querySelector("main");
if (shell) shell.append(said);
