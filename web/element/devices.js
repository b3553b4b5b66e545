// The sheet that chooses microphone and speaker; the choice is remembered.

import { recall, remember } from "../conversation/memory.js";
import { chosenMicrophone } from "../conversation/microphone.js";

const SPEAKER = "speaker";
const STANDARD = ["default", "communications"];
const CAN_CHOOSE_SPEAKER = "setSinkId" in HTMLMediaElement.prototype;

/** The id of the speaker that was chosen last; "" is the system's own. */
export const chosenSpeaker = () => recall(SPEAKER) ?? "";

/**
 * `at(id)` finds an element of the sheet. `onMicrophone(id | null)` and `onSpeaker(id)` hear what
 * the user picks.
 */
export class Devices {
  #at;
  #text;

  /**
   * @param {At} at
   * @param {Texts} text
   * @param {{ onMicrophone: (id: string | null) => void, onSpeaker: (id: string) => void }} on
   */
  constructor(at, text, { onMicrophone, onSpeaker }) {
    this.#at = at;
    this.#text = text;
    const microphones = at("microphones");
    const speakers = at("speakers");
    microphones.onchange = () => onMicrophone(microphones.value || null);
    speakers.onchange = () => {
      remember(SPEAKER, speakers.value);
      onSpeaker(speakers.value);
    };
    this.#fill("microphones", [], "audioinput");
    this.#fill("speakers", [], "audiooutput");
  }

  /**
   * Shows what is plugged in now; `withMicrophone` false leaves the microphones out.
   * @param {boolean} withMicrophone
   */
  async refresh(withMicrophone) {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    this.#fill("microphones", devices, "audioinput", chosenMicrophone());
    this.#fill("speakers", devices, "audiooutput", chosenSpeaker());
    this.#at("microphones-label").hidden = !withMicrophone;
    this.#at("speakers-label").hidden = !CAN_CHOOSE_SPEAKER;
  }

  /**
   * @param {"microphones" | "speakers"} list
   * @param {MediaDeviceInfo[]} devices
   * @param {MediaDeviceKind} kind
   * @param {string | null} [chosen]
   */
  #fill(list, devices, kind, chosen) {
    const known = devices.filter(
      ({ kind: theirs, deviceId }) => theirs === kind && deviceId && !STANDARD.includes(deviceId),
    );
    const options = known.map(({ label, deviceId }, place) => {
      return new Option(label || this.#text("device", { number: place + 1 }), deviceId);
    });
    const select = this.#at(list);
    select.replaceChildren(new Option(this.#text("standardDevice"), ""), ...options);
    select.value = known.find(({ deviceId }) => deviceId === chosen)?.deviceId ?? "";
  }
}
