// How loud a stream is: for the microphone's meter, and for rooms that send no messages.

const PERIOD_MS = 100;
const FULL_SCALE_RMS = 0.2;

/** Calls `onLevel` with 0 (silence) to 1 (loud speech) until the returned function is called. */
export function watchLevel(stream, onLevel) {
  // Without a sink and with long buffers, listening costs next to nothing.
  const context = new AudioContext({ latencyHint: "playback", sinkId: { type: "none" } });
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  const source = context.createMediaStreamSource(stream);
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(Math.min(1, rms(samples) / FULL_SCALE_RMS));
  }, PERIOD_MS);
  return () => {
    clearInterval(timer);
    source.disconnect();
    context.close();
  };
}

function rms(samples) {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/** Tells speech from silence: `onChange(true | false)`, with a pause of `holdMs` forgiven. */
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
