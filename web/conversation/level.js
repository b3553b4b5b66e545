// How loud a stream is: for the microphone's meter, and for rooms that send no messages.

const PERIOD_MS = 100;
const FULL_SCALE_RMS = 0.2;

/**
 * Calls `onLevel` with 0 (silence) to 1 (loud speech) until the returned function is called.
 * Browsers let nobody listen before the user has touched the page: it begins then.
 * @param {MediaStream} stream
 * @param {(level: number) => void} onLevel
 */
export function watchLevel(stream, onLevel) {
  /** @type {Ear | undefined} */
  let ear;
  const timer = setInterval(() => {
    if (!isTouched()) return;
    ear ??= new Ear(stream);
    onLevel(ear.level);
  }, PERIOD_MS);
  return () => {
    clearInterval(timer);
    ear?.close();
  };
}

const isTouched = () => navigator.userActivation?.hasBeenActive ?? true;

class Ear {
  // Without a sink and with buffers as long as the period, listening costs next to nothing.
  #context = new AudioContext({ latencyHint: PERIOD_MS / 1000, sinkId: { type: "none" } });
  #analyser = new AnalyserNode(this.#context, { fftSize: 2048 });
  #samples = new Float32Array(this.#analyser.fftSize);
  #source;

  /** @param {MediaStream} stream */
  constructor(stream) {
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  get level() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return Math.min(1, rms(this.#samples) / FULL_SCALE_RMS);
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
    if (level > threshold) lastLoudMs = nowMs;
    const loud = lastLoudMs > 0 && nowMs - lastLoudMs < holdMs;
    if (loud === speaking) return;
    speaking = loud;
    onChange(speaking);
  });
}
