// How loud a stream is: for the microphone's meter, and for rooms that send no messages.

const PERIOD_MS = 100;
const FULL_SCALE_RMS = 0.2;

/**
 * Calls `onLevel` with 0 (silence) to 1 (loud speech) until the returned function is called, and
 * with null while the browser does not listen, as during a phone call.
 * Browsers let nobody listen before the user has touched the page: it begins then. Some cannot
 * listen at all to a microphone whose rate is not their own: they never tell a level.
 * @param {MediaStream} stream
 * @param {(level: number | null) => void} onLevel
 */
export function watchLevel(stream, onLevel) {
  /** @type {Ear | null | undefined} */
  let ear;
  const timer = setInterval(() => {
    if (!isTouched()) return;
    if (ear === undefined) ear = earFor(stream);
    if (ear) onLevel(ear.level);
    else clearInterval(timer);
  }, PERIOD_MS);
  return () => {
    clearInterval(timer);
    ear?.close();
  };
}

const isTouched = () => navigator.userActivation?.hasBeenActive ?? true;

/** @param {MediaStream} stream */
function earFor(stream) {
  /** @type {AudioContext | undefined} */
  let context;
  try {
    // Without a sink and with buffers as long as the period, listening costs next to nothing.
    context = new AudioContext({ latencyHint: PERIOD_MS / 1000, sinkId: { type: "none" } });
    return new Ear(context, stream);
  } catch {
    void context?.close();
    return null;
  }
}

class Ear {
  #context;
  #analyser;
  #samples;
  #source;
  #waking = false;

  /**
   * @param {AudioContext} context
   * @param {MediaStream} stream
   */
  constructor(context, stream) {
    this.#context = context;
    this.#analyser = new AnalyserNode(context, { fftSize: 2048 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  get level() {
    if (this.#context.state !== "running") return this.#wake();
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return Math.min(1, rms(this.#samples) / FULL_SCALE_RMS);
  }

  // Asked for once at a time: it may be answered only when a phone call is over.
  #wake() {
    if (!this.#waking) {
      const over = () => (this.#waking = false);
      this.#waking = true;
      this.#context.resume().then(over, over);
    }
    return null;
  }

  close() {
    this.#source.disconnect();
    void this.#context.close();
  }
}

/** @param {Float32Array} samples */
function rms(samples) {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/**
 * Tells speech from silence: `onChange(true | false)`, with a pause of `holdMs` forgiven.
 * @param {MediaStream} stream
 * @param {(speaking: boolean) => void} onChange
 */
export function watchVoice(stream, onChange, { threshold = 0.06, holdMs = 700 } = {}) {
  let speaking = false;
  let lastLoudMs = 0;
  return watchLevel(stream, (level) => {
    const nowMs = performance.now();
    if (level !== null && level > threshold) lastLoudMs = nowMs;
    const loud = lastLoudMs > 0 && nowMs - lastLoudMs < holdMs;
    if (loud === speaking) return;
    speaking = loud;
    onChange(speaking);
  });
}
