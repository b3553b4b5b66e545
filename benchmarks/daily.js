// What Pipecat's prebuilt client needs of daily-js to open a microphone. The real one loads its
// code from Daily's servers, even for a direct connection. Nothing is measured in here.

class CallObject {
  #listeners = {};
  #stream = null;
  #local = { local: true, user_id: "me", user_name: "Me", tracks: { audio: {} } };

  on(name, listener) {
    (this.#listeners[name] ??= []).push(listener);
    return this;
  }
  off() {
    return this;
  }
  async startCamera() {
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const [track] = this.#stream.getAudioTracks();
    this.#local.tracks.audio = { persistentTrack: track, track, state: "playable" };
    for (const listener of this.#listeners["track-started"] ?? [])
      listener({ participant: this.#local, track });
    return { camera: {}, mic: {}, speaker: {} };
  }
  async enumerateDevices() {
    return { devices: await navigator.mediaDevices.enumerateDevices() };
  }
  participants() {
    return this.#stream ? { local: this.#local } : {};
  }
  localAudio() {
    return this.#stream !== null;
  }
  localVideo = () => false;
  localScreenAudio = () => false;
  localScreenVideo = () => false;
  setLocalAudio = () => this;
  setLocalVideo = () => this;
  isLocalAudioLevelObserverRunning = () => true;
  leave = async () => {};
  destroy = async () => {};
}

export const t = {
  getCallInstance: () => undefined,
  createCallObject: () => new CallObject(),
};
