// Before the call: who this is, why the microphone is asked for, what is kept, and whom to choose.

/** @type {Record<string, string>} */
const PART_TEXTS = { avatar: "avatarPart" };

/** `at(id)` finds an element of the tree; `onChoice()` hears when another one is chosen. */
export class Welcome {
  #at;
  #onChoice;
  /** @type {Lineup | null} */
  #lineup = null;
  /** @type {string | null} */
  #persona = null;
  /** @type {string | null} */
  #face = null;
  #wantsFace = false;

  /**
   * @param {At} at
   * @param {() => void} onChoice
   */
  constructor(at, onChoice) {
    this.#at = at;
    this.#onChoice = onChoice;
  }

  /** What the user chose, as /start takes it: { persona, avatar }, each only if it says something. */
  /** @returns {Fixed} */
  get choice() {
    return {
      ...(this.#persona &&
        this.#persona !== this.#lineup?.persona.id && { persona: this.#persona }),
      ...(this.#face && this.#face !== this.#homeFace && { avatar: this.#face }),
    };
  }

  set choice({ persona, avatar }) {
    if (persona) this.#choosePersona(persona);
    if (avatar) this.#chooseFace(avatar);
  }

  /** The name to show, or null. */
  get name() {
    return this.#chosen?.name ?? this.#lineup?.persona.name ?? null;
  }

  /** The language that the chosen persona speaks, or "". */
  get language() {
    return this.#chosen?.language ?? "";
  }

  /** The URL of the chosen face's picture, or null. */
  get picture() {
    return this.#pictureOf(this.#face) ?? this.#lineup?.poster ?? null;
  }

  /**
   * @param {Lineup} lineup
   * @param {Fixed} fixed
   * @param {Texts} text
   */
  show(lineup, fixed, text) {
    this.#lineup = lineup;
    this.#persona = fixed.persona || lineup.persona.id;
    this.#wantsFace = Boolean(fixed.avatar);
    this.#face = fixed.avatar || this.#homeFace;
    this.#showKept(lineup.kept, text);
    this.#showParts(lineup.parts, text);
    const people = lineup.personas.map((persona) => {
      const own = persona.id === lineup.persona.id ? lineup.poster : null;
      return { ...persona, picture: this.#pictureOf(persona.face) ?? own };
    });
    this.#showChoices("personas", fixed.persona ? [] : people, this.#persona, (id) =>
      this.#choosePersona(id),
    );
    this.#showChoices("faces", fixed.avatar ? [] : lineup.faces, this.#face, (id) =>
      this.#chooseFace(id),
    );
  }

  /**
   * Writes the sentences that carry the name.
   * @param {string | null} name
   * @param {Texts} text
   */
  showName(name, text) {
    this.#at("title").textContent = text("title", { name: name ?? text("theAvatar") });
    this.#at("is-ai").textContent = text("isAi", { name: name ?? text("someone") });
  }

  get #chosen() {
    return this.#lineup?.personas.find(({ id }) => id === this.#persona);
  }

  // The face that the chosen persona has when nobody chooses one.
  get #homeFace() {
    const home = this.#chosen?.face;
    if (home) return home;
    return this.#lineup?.faces.find(({ picture }) => picture === this.#lineup?.poster)?.id ?? null;
  }

  /** @param {string | null} [face] */
  #pictureOf(face) {
    return this.#lineup?.faces.find(({ id }) => id === face)?.picture;
  }

  /** @param {string | null} id */
  #choosePersona(id) {
    this.#persona = id;
    if (!this.#wantsFace) this.#chooseHomeFace();
    this.#onChoice();
  }

  #chooseHomeFace() {
    this.#face = this.#homeFace;
    for (const input of this.#at("faces").querySelectorAll("input")) {
      input.checked = input.value === this.#face;
    }
  }

  /** @param {string | null} id */
  #chooseFace(id) {
    this.#wantsFace = true;
    this.#face = id;
    this.#onChoice();
  }

  /**
   * @param {Kept | null} kept
   * @param {Texts} text
   */
  #showKept(kept, text) {
    this.#at("kept").textContent = kept ? keptSentences(kept, text) : text("keptUnknown");
  }

  /**
   * @param {LineupPart[]} parts
   * @param {Texts} text
   */
  #showParts(parts, text) {
    this.#at("lineup").hidden = parts.length === 0;
    this.#at("parts").replaceChildren(...parts.flatMap((part) => described(part, text)));
  }

  /**
   * @param {"personas" | "faces"} kind
   * @param {Choice[]} choices
   * @param {string | null} chosen
   * @param {(id: string | null) => void} onPick
   */
  #showChoices(kind, choices, chosen, onPick) {
    const group = this.#at(kind);
    group.hidden = choices.length < 2;
    const options = choices.map((choice) => option(kind, choice, choice.id === chosen, onPick));
    group.querySelector(".choices")?.replaceChildren(...options);
  }
}

/**
 * @param {Kept} kept
 * @param {Texts} text
 */
function keptSentences({ transcripts, where, vendors = [] }, text) {
  const names = vendors.join(", ");
  return [
    transcripts ? text("keptYes", { where: where ?? "" }) : text("keptNo"),
    names ? text("vendors", { vendors: names }) : text("noVendors"),
  ].join(" ");
}

/**
 * @param {LineupPart} part
 * @param {Texts} text
 */
function described({ kind, value, local, why }, text) {
  const term = document.createElement("dt");
  const meaning = document.createElement("dd");
  term.textContent = text(PART_TEXTS[kind] ?? kind);
  const part = local ? text("localPart", { part: value }) : value;
  meaning.textContent = [part, why].filter(Boolean).join(": ");
  return [term, meaning];
}

/**
 * @param {string} kind
 * @param {Choice} choice
 * @param {boolean} chosen
 * @param {(id: string | null) => void} onPick
 */
function option(kind, { id, name, picture }, chosen, onPick) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  const frame = document.createElement("span");
  const caption = document.createElement("span");
  Object.assign(input, { type: "radio", name: kind, value: id ?? "", checked: chosen });
  input.addEventListener("change", () => onPick(id));
  label.className = "choice";
  label.part = "choice";
  frame.className = "picture";
  frame.append(picture ? image(picture) : name.slice(0, 1));
  frame.setAttribute("aria-hidden", "true");
  caption.className = "caption";
  caption.textContent = name;
  label.append(input, frame, caption);
  return label;
}

/** @param {string} url */
function image(url) {
  const picture = new Image();
  picture.alt = "";
  picture.src = url;
  return picture;
}
