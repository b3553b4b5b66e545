// The user's microphone: asking for it, and saying plainly why it cannot be had.

import { CallError } from "./request.js";

const PROCESSING = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

const REFUSALS = {
  NotAllowedError:
    "The microphone was refused. Allow it in the browser's site settings, or go on by typing.",
  NotFoundError: "No microphone was found. Plug one in and try again, or go on by typing.",
  NotReadableError:
    "The microphone is in use by another program. Close that program and try again, or go on by typing.",
};
const INSECURE =
  "The browser gives the microphone only to https or localhost pages. Open this page that way, or go on by typing.";
const OTHER = "The microphone could not be opened. Try again, or go on by typing.";

/** A MediaStream of one audio track; whoever asks stops it. Throws CallError("…", "microphone"). */
export async function openMicrophone() {
  if (!navigator.mediaDevices) throw new CallError(INSECURE, "microphone");
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: PROCESSING });
  } catch (error) {
    throw new CallError(REFUSALS[error.name] ?? OTHER, "microphone");
  }
}

export function stopMicrophone(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}
