// Every text of the element, one row each: English, German, Spanish. `{…}` is filled in.

const LANGUAGES = ["en", "de", "es"];

/** @type {Record<string, string[]>} */
const TABLE = {
  // Names
  avatar: ["Avatar", "Avatar", "Avatar"],
  theAvatar: ["the avatar", "dem Avatar", "el avatar"],
  someone: ["This avatar", "Dieser Avatar", "Este avatar"],
  you: ["You", "Sie", "Tú"],
  badge: ["AI", "KI", "IA"],
  badgeMeaning: [
    "An AI avatar, not a person",
    "Ein KI-Avatar, kein Mensch",
    "Un avatar de IA, no una persona",
  ],
  stage: ["The avatar", "Der Avatar", "El avatar"],
  face: ["The avatar's face", "Das Gesicht des Avatars", "La cara del avatar"],
  panel: ["The conversation", "Das Gespräch", "La conversación"],

  // States
  idle: ["Ready when you are", "Bereit, wenn Sie es sind", "Cuando quieras"],
  starting: ["Getting ready …", "Wird vorbereitet …", "Preparándose …"],
  microphone: [
    "Please allow the microphone in your browser",
    "Bitte erlauben Sie das Mikrofon im Browser",
    "Permite el micrófono en el navegador",
  ],
  connecting: ["Connecting …", "Verbindung wird aufgebaut …", "Conectando …"],
  waiting: ["Waiting for the avatar …", "Warten auf den Avatar …", "Esperando al avatar …"],
  listening: ["Listening", "Hört zu", "Escuchando"],
  listeningTyped: ["Ready for your message", "Bereit für Ihre Nachricht", "Esperando tu mensaje"],
  listeningMuted: ["Your microphone is off", "Ihr Mikrofon ist aus", "Tu micrófono está apagado"],
  listeningHold: [
    "Hold the button to talk",
    "Zum Sprechen die Taste halten",
    "Mantén pulsado para hablar",
  ],
  watching: ["Watching", "Sie sehen zu", "Observando"],
  thinking: ["Thinking …", "Denkt nach …", "Pensando …"],
  speaking: ["Speaking", "Spricht", "Hablando"],
  reconnecting: ["Reconnecting …", "Verbindet neu …", "Reconectando …"],
  over: ["The conversation is over", "Das Gespräch ist beendet", "La conversación ha terminado"],
  failed: ["This did not work", "Das hat nicht geklappt", "No ha funcionado"],

  // Before
  title: ["Talk with {name}", "Sprechen Sie mit {name}", "Habla con {name}"],
  isAi: [
    "{name} is an AI avatar, not a person.",
    "{name} ist ein KI-Avatar, kein Mensch.",
    "{name} es un avatar de IA, no una persona.",
  ],
  whyMicrophone: [
    "Your browser will ask for the microphone, so that you can be heard.",
    "Ihr Browser fragt nach dem Mikrofon, damit Sie gehört werden.",
    "El navegador pedirá el micrófono para que se te oiga.",
  ],
  keptYes: [
    "What is said is written down and kept: {where}.",
    "Was gesagt wird, wird mitgeschrieben und aufbewahrt: {where}.",
    "Lo que se dice se anota y se guarda: {where}.",
  ],
  keptNo: [
    "Nothing that is said is kept.",
    "Nichts vom Gesagten wird aufbewahrt.",
    "No se guarda nada de lo que se dice.",
  ],
  keptUnknown: [
    "This server does not say what it keeps.",
    "Dieser Server sagt nicht, was er aufbewahrt.",
    "Este servidor no dice qué guarda.",
  ],
  vendors: [
    "It is processed by {vendors}.",
    "Verarbeitet wird es von {vendors}.",
    "Lo procesan {vendors}.",
  ],
  noVendors: [
    "It does not leave this server.",
    "Es verlässt diesen Server nicht.",
    "No sale de este servidor.",
  ],
  personas: ["Who", "Wer", "Quién"],
  faces: ["Face", "Gesicht", "Cara"],
  start: ["Start talking", "Gespräch beginnen", "Empezar a hablar"],
  startTyping: ["Start without a microphone", "Ohne Mikrofon beginnen", "Empezar sin micrófono"],
  howItWorks: [
    "How this avatar works",
    "Wie dieser Avatar funktioniert",
    "Cómo funciona este avatar",
  ],
  stt: ["Ears", "Ohren", "Oído"],
  llm: ["Mind", "Verstand", "Mente"],
  tts: ["Voice", "Stimme", "Voz"],
  avatarPart: ["Face", "Gesicht", "Cara"],
  transport: ["Connection", "Verbindung", "Conexión"],
  localPart: ["{part} (local)", "{part} (lokal)", "{part} (local)"],

  // During
  captions: ["What was said", "Das Gesagte", "Lo que se ha dicho"],
  cut: ["interrupted", "unterbrochen", "interrumpido"],
  noText: [
    "This kind of room carries voice and picture, but no captions and no typing.",
    "Dieser Raum überträgt Stimme und Bild, aber keine Untertitel und keinen Text.",
    "Esta sala transmite voz e imagen, pero no subtítulos ni texto.",
  ],
  message: ["Type a message", "Nachricht schreiben", "Escribe un mensaje"],
  send: ["Send", "Senden", "Enviar"],
  mute: ["Mute", "Stumm", "Silenciar"],
  unmute: ["Unmute", "Mikrofon an", "Activar"],
  hold: ["Hold to talk", "Zum Sprechen halten", "Mantén para hablar"],
  holding: ["Talk now", "Jetzt sprechen", "Habla ahora"],
  interrupt: ["Interrupt", "Unterbrechen", "Interrumpir"],
  end: ["End", "Beenden", "Terminar"],
  unblock: ["Turn on the sound", "Ton einschalten", "Activar el sonido"],
  close: ["Close", "Schließen", "Cerrar"],
  devices: ["Microphone and speaker", "Mikrofon und Lautsprecher", "Micrófono y altavoz"],
  chosenMicrophone: ["Microphone", "Mikrofon", "Micrófono"],
  chosenSpeaker: ["Speaker", "Lautsprecher", "Altavoz"],
  standardDevice: ["System default", "Systemstandard", "Predeterminado del sistema"],
  device: ["Device {number}", "Gerät {number}", "Dispositivo {number}"],
  chooseMicrophone: ["Choose a microphone", "Mikrofon wählen", "Elegir micrófono"],

  // Speed
  speed: ["How fast it is", "Wie schnell es ist", "Qué tan rápido va"],
  speedKey: ["How fast it is (L)", "Wie schnell es ist (L)", "Qué tan rápido va (L)"],
  turnsChart: [
    "From the end of your speech to the answer, the last turns",
    "Vom Ende Ihres Satzes bis zur Antwort, die letzten Runden",
    "Del final de tu frase a la respuesta, últimos turnos",
  ],
  noTurns: [
    "Say something: its answer is timed here.",
    "Sagen Sie etwas: Die Antwort wird hier gemessen.",
    "Di algo: aquí se mide la respuesta.",
  ],
  turnMeaning: ["Turn {number}: {steps}", "Runde {number}: {steps}", "Turno {number}: {steps}"],
  ears: ["Ears", "Ohren", "Oído"],
  mind: ["Mind: first word", "Verstand: erstes Wort", "Mente: primera palabra"],
  voice: ["Voice: first sound", "Stimme: erster Ton", "Voz: primer sonido"],
  ahead: ["Begun early (in vain)", "Früh begonnen (umsonst)", "Empezadas antes (en vano)"],
  faceStep: ["Face: first picture", "Gesicht: erstes Bild", "Cara: primera imagen"],
  seconds: ["{value} s", "{value} s", "{value} s"],
  milliseconds: ["{value} ms", "{value} ms", "{value} ms"],
  percent: ["{value} %", "{value} %", "{value} %"],
  fps: ["Pictures a second", "Bilder pro Sekunde", "Imágenes por segundo"],
  offset: ["Sound before picture", "Ton vor Bild", "Sonido antes que imagen"],
  loss: ["Packets lost", "Verlorene Pakete", "Paquetes perdidos"],
  spend: ["Cost so far", "Kosten bisher", "Coste hasta ahora"],
  dollars: ["USD {value}", "{value} USD", "{value} USD"],
  roundTrip: ["Round trip", "Umlaufzeit", "Ida y vuelta"],

  // After
  duration: ["Duration", "Dauer", "Duración"],
  turns: ["Turns", "Runden", "Turnos"],
  median: ["Median answer time", "Mittlere Antwortzeit", "Respuesta mediana"],
  again: ["Talk again", "Noch einmal sprechen", "Hablar de nuevo"],
  retry: ["Try again", "Noch einmal versuchen", "Intentar de nuevo"],
  goOnTyping: ["Go on by typing", "Schriftlich weitermachen", "Seguir por escrito"],
  copy: ["Copy the transcript", "Protokoll kopieren", "Copiar la transcripción"],
  copied: ["Copied", "Kopiert", "Copiada"],
  notCopied: [
    "Not allowed here: download it",
    "Hier nicht erlaubt: bitte herunterladen",
    "No permitido aquí: descárgala",
  ],
  download: ["Download", "Herunterladen", "Descargar"],
  youEnded: [
    "You ended the conversation.",
    "Sie haben das Gespräch beendet.",
    "Has terminado la conversación.",
  ],
  goodbye: [
    "The conversation has ended.",
    "Das Gespräch ist zu Ende.",
    "La conversación ha terminado.",
  ],
  silence: [
    "It was quiet for a while, so the conversation has ended.",
    "Es war eine Weile still, darum ist das Gespräch zu Ende.",
    "Hubo silencio un rato y la conversación ha terminado.",
  ],
  timeUp: [
    "The time for this conversation is up.",
    "Die Zeit für dieses Gespräch ist um.",
    "Se ha acabado el tiempo de esta conversación.",
  ],
  spent: [
    "This conversation has cost as much as it may.",
    "Dieses Gespräch hat so viel gekostet, wie es darf.",
    "Esta conversación ha costado todo lo que puede costar.",
  ],
  spentToday: [
    "The avatar has cost as much as it may today. Talk with it again tomorrow.",
    "Der Avatar hat heute so viel gekostet, wie er darf. Sprechen Sie morgen wieder mit ihm.",
    "El avatar ha costado hoy todo lo que puede. Vuelve a hablar con él mañana.",
  ],
  noCredits: [
    "LiveAvatar has no credit left, so the conversation is over.",
    "LiveAvatar hat kein Guthaben mehr, deshalb ist das Gespräch beendet.",
    "A LiveAvatar no le queda saldo, así que la conversación ha terminado.",
  ],
  talkFailed: [
    "The avatar did not notice that you hold the button: let it go, and hold it again.",
    "Der Avatar hat nicht bemerkt, dass Sie die Taste halten: Lassen Sie los und halten Sie noch einmal.",
    "El avatar no ha notado que mantienes el botón: suéltalo y vuelve a mantenerlo.",
  ],
  updating: [
    "The avatar is being updated. Talk with it again in a minute.",
    "Der Avatar wird aktualisiert. Sprechen Sie in einer Minute wieder mit ihm.",
    "El avatar se está actualizando. Vuelve a hablar con él en un minuto.",
  ],
  avatarLeft: [
    "The avatar has left the conversation.",
    "Der Avatar hat das Gespräch verlassen.",
    "El avatar ha salido de la conversación.",
  ],
  leftRoom: ["You left the room.", "Sie haben den Raum verlassen.", "Has salido de la sala."],

  // When things go wrong
  microphoneRefused: [
    "The microphone was refused. Allow it in the browser's site settings, or go on by typing.",
    "Das Mikrofon wurde abgelehnt. Erlauben Sie es in den Website-Einstellungen des Browsers, oder schreiben Sie.",
    "Se ha denegado el micrófono. Permítelo en los ajustes del sitio o sigue por escrito.",
  ],
  microphoneWithheld: [
    'The page around this one does not give it the microphone: its frame lacks allow="microphone". Open this page by itself, or go on by typing.',
    'Die Seite ringsum gibt das Mikrofon nicht weiter: Ihrem Rahmen fehlt allow="microphone". Öffnen Sie diese Seite für sich, oder schreiben Sie.',
    'La página que contiene esta no le cede el micrófono: a su marco le falta allow="microphone". Abre esta página aparte o sigue por escrito.',
  ],
  microphoneMissing: [
    "No microphone was found. Plug one in and try again, or go on by typing.",
    "Kein Mikrofon gefunden. Schließen Sie eines an, oder schreiben Sie.",
    "No hay micrófono. Conecta uno e inténtalo de nuevo, o sigue por escrito.",
  ],
  microphoneBusy: [
    "The microphone is in use by another program. Close that program and try again, or go on by typing.",
    "Ein anderes Programm benutzt das Mikrofon. Schließen Sie es, oder schreiben Sie.",
    "Otro programa usa el micrófono. Ciérralo e inténtalo de nuevo, o sigue por escrito.",
  ],
  microphoneInsecure: [
    "The browser gives the microphone only to https or localhost pages. Open this page that way, or go on by typing.",
    "Der Browser gibt das Mikrofon nur Seiten mit https oder localhost. Öffnen Sie die Seite so, oder schreiben Sie.",
    "El navegador da el micrófono solo a páginas https o localhost. Ábrela así o sigue por escrito.",
  ],
  microphoneOther: [
    "The microphone could not be opened. Try again, or go on by typing.",
    "Das Mikrofon ließ sich nicht öffnen. Versuchen Sie es noch einmal, oder schreiben Sie.",
    "No se pudo abrir el micrófono. Inténtalo de nuevo o sigue por escrito.",
  ],
  microphoneGone: [
    "The microphone is gone. Choose another one, or go on by typing.",
    "Das Mikrofon ist weg. Wählen Sie ein anderes, oder schreiben Sie.",
    "El micrófono ya no está. Elige otro o sigue por escrito.",
  ],
  unheard: [
    "We can't hear you. Is this the right microphone?",
    "Wir hören Sie nicht. Ist es das richtige Mikrofon?",
    "No te oímos. ¿Es el micrófono correcto?",
  ],
  soundBlocked: [
    "The browser keeps the sound off until you say so.",
    "Der Browser lässt den Ton aus, bis Sie ihn einschalten.",
    "El navegador no activa el sonido hasta que lo permitas.",
  ],
  noAccess: [
    "This page could not get what lets you in. Load it anew.",
    "Diese Seite hat keinen Zugang bekommen. Laden Sie sie neu.",
    "Esta página no ha obtenido acceso. Vuelve a cargarla.",
  ],
  unreachable: [
    "The server cannot be reached. Check that it is still running.",
    "Der Server ist nicht zu erreichen. Prüfen Sie, ob er noch läuft.",
    "No se puede acceder al servidor. Comprueba que sigue en marcha.",
  ],
  offline: [
    "This device is offline. Check the network and try again.",
    "Dieses Gerät ist offline. Prüfen Sie das Netz und versuchen Sie es noch einmal.",
    "Este dispositivo está sin conexión. Revisa la red e inténtalo de nuevo.",
  ],
  tooSlow: [
    "The server took too long to answer. Try again in a moment.",
    "Der Server hat zu lange gebraucht. Versuchen Sie es gleich noch einmal.",
    "El servidor tardó demasiado. Inténtalo de nuevo en un momento.",
  ],
  serverError: [
    "The server answered with an error ({status}).",
    "Der Server hat mit einem Fehler geantwortet ({status}).",
    "El servidor respondió con un error ({status}).",
  ],
  notReady: [
    "The avatar did not get ready in time. Try again in a moment.",
    "Der Avatar war nicht rechtzeitig bereit. Versuchen Sie es gleich noch einmal.",
    "El avatar no estuvo listo a tiempo. Inténtalo de nuevo en un momento.",
  ],
  broken: [
    "The avatar ran into a problem and had to stop.",
    "Der Avatar hatte ein Problem und musste aufhören.",
    "El avatar tuvo un problema y tuvo que parar.",
  ],
  elementBroken: [
    "Something went wrong on this page. Try again.",
    "Auf dieser Seite ist etwas schiefgegangen. Versuchen Sie es noch einmal.",
    "Algo ha fallado en esta página. Inténtalo de nuevo.",
  ],
  thisBrowser: ["This browser", "Dieser Browser", "Este navegador"],
  tooOld: [
    "{browser} is too old for this page. Use Chrome or Edge 111, Firefox 115, Safari 16.4 or iOS 16.4, or a later one.",
    "{browser} ist zu alt für diese Seite. Nehmen Sie Chrome oder Edge 111, Firefox 115, Safari 16.4 oder iOS 16.4, oder neuer.",
    "{browser} es demasiado antiguo para esta página. Usa Chrome o Edge 111, Firefox 115, Safari 16.4 o iOS 16.4, o posterior.",
  ],
  notLoaded: [
    "The page could not be loaded whole. Reload it.",
    "Die Seite ließ sich nicht ganz laden. Laden Sie sie neu.",
    "La página no se pudo cargar entera. Recárgala.",
  ],
  noWebRtc: [
    "There is no WebRTC in this browser ({browser}), or it is turned off. Turn it on, or use another one.",
    "In diesem Browser ({browser}) fehlt WebRTC, oder es ist aus. Schalten Sie es ein, oder nehmen Sie einen anderen.",
    "Este navegador ({browser}) no tiene WebRTC o está apagado. Actívalo o usa otro.",
  ],
  noPath: [
    "The page is reached, but not the avatar: sound and picture travel by UDP, which a firewall, a VPN or the server's container holds back. Try another network; whoever runs the server can give it a TURN server with --ice-servers.",
    "Die Seite ist zu erreichen, der Avatar nicht: Ton und Bild reisen über UDP, und eine Firewall, ein VPN oder der Container des Servers lässt das nicht durch. Versuchen Sie ein anderes Netz; wer den Server betreibt, kann ihm mit --ice-servers einen TURN-Server geben.",
    "Se llega a la página, pero no al avatar: sonido e imagen viajan por UDP, y un cortafuegos, una VPN o el contenedor del servidor no lo deja pasar. Prueba otra red; quien lleva el servidor puede darle un servidor TURN con --ice-servers.",
  ],
  lost: [
    "The connection to the avatar was lost.",
    "Die Verbindung zum Avatar ist abgerissen.",
    "Se perdió la conexión con el avatar.",
  ],
  gone: [
    "The connection was lost, and the conversation has ended meanwhile.",
    "Die Verbindung war unterbrochen, und das Gespräch ist inzwischen zu Ende.",
    "Se perdió la conexión y la conversación ha terminado mientras tanto.",
  ],
  stopped: [
    "The avatar has stopped working. Begin again, perhaps in a moment.",
    "Der Avatar läuft nicht mehr. Beginnen Sie noch einmal, vielleicht erst gleich.",
    "El avatar ha dejado de funcionar. Empieza de nuevo, quizá en un momento.",
  ],
  voiceOnly: [
    "This browser or network carries voice and picture, but no captions and no typing.",
    "Dieser Browser oder dieses Netz überträgt Stimme und Bild, aber keine Untertitel und keinen Text.",
    "Este navegador o esta red transmite voz e imagen, pero no subtítulos ni texto.",
  ],
  faceLost: [
    "The picture is gone, the voice goes on.",
    "Das Bild ist weg, die Stimme geht weiter.",
    "Se ha perdido la imagen; la voz continúa.",
  ],
  noRoom: [
    "The room could not be joined. Check the network and try again.",
    "Der Raum ließ sich nicht betreten. Prüfen Sie das Netz und versuchen Sie es noch einmal.",
    "No se pudo entrar en la sala. Revisa la red e inténtalo de nuevo.",
  ],
  roomRefuses: [
    "The room lets nobody else in. It may be full: try again when somebody has left.",
    "Der Raum lässt niemanden mehr ein. Vielleicht ist er voll: Versuchen Sie es noch einmal, wenn jemand gegangen ist.",
    "La sala no deja entrar a nadie más. Puede que esté llena: inténtalo cuando alguien haya salido.",
  ],
  roomFull: [
    "The room is full. Try again when somebody has left.",
    "Der Raum ist voll. Versuchen Sie es, wenn jemand gegangen ist.",
    "La sala está llena. Inténtalo cuando alguien haya salido.",
  ],
  roomUnnamed: [
    "Which room? Open this page by a link that names one.",
    "Welcher Raum? Öffnen Sie diese Seite über einen Link, der ihn nennt.",
    "¿Qué sala? Abre esta página con un enlace que la indique.",
  ],
  roomOver: [
    "The room is closed: its time is up.",
    "Der Raum ist geschlossen: Seine Zeit ist um.",
    "La sala está cerrada: se acabó su tiempo.",
  ],
  removed: [
    "You were removed from the room.",
    "Sie wurden aus dem Raum entfernt.",
    "Te han sacado de la sala.",
  ],
  noLiveKit: [
    "LiveKit's program could not be loaded. Reload the page and try again.",
    "Das Programm von LiveKit ließ sich nicht laden. Laden Sie die Seite neu.",
    "No se pudo cargar el programa de LiveKit. Recarga la página.",
  ],
  noDaily: [
    "Daily's program could not be loaded. A Daily room needs the internet.",
    "Das Programm von Daily ließ sich nicht laden. Ein Daily-Raum braucht das Internet.",
    "No se pudo cargar el programa de Daily. Una sala de Daily necesita internet.",
  ],
};

/**
 * The first of our languages among `wanted`, tags such as "de-AT"; else English.
 * @param {string[]} wanted
 */
export function chooseLanguage(wanted) {
  const tags = wanted.filter(Boolean).map((tag) => tag.toLowerCase().split("-")[0]);
  return tags.find((tag) => LANGUAGES.includes(tag)) ?? LANGUAGES[0];
}

/**
 * The texts of one language: `text(key, { value })`. What is no key is a sentence already.
 * @param {string} language
 * @returns {Texts}
 */
export function textsIn(language) {
  const column = LANGUAGES.indexOf(language);
  return (key, values = {}) =>
    (TABLE[key]?.[column] ?? key).replace(/\{(\w+)\}/g, (slot, name) =>
      String(values[name] ?? slot),
    );
}
