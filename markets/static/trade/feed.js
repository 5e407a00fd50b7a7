// The socket: /stream in Binance's format. It reconnects by itself, and tells of every change of
// state: connecting, live, stale.

const RETRY_MS = [250, 8000];
const SILENCE_MS = 60_000;
const OWN = "user";
const OWN_RETRY_MS = 3_000;
const UNAVAILABLE = 5;
const NOT_SIGNED_IN = 6;
const SIGNED_OUT = 4001;

/** The session has ended, perhaps in another tab: what the page shows is nobody's any more. */
function signedOut() {
  location.reload();
}

export class Feed {
  #socket = null;
  #streams = new Map();
  #retry = RETRY_MS[0];
  #id = 0;
  #lastOfAll = 0;
  #lastOfOwn = 0;
  #ownIsLate = false;
  #timer = 0;
  #ownTimer = 0;
  #watch = 0;

  /** `onState(state)` hears "connecting", "live" or "stale"; `onLate()` is called where the own
   * stream began after the others did, and something of it may have been missed. */
  constructor(onState, onLate) {
    this.onState = onState;
    this.onLate = onLate;
    addEventListener("online", () => this.#reconnectNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#reconnectNow();
    });
  }

  start() {
    this.onState("connecting");
    this.#connect();
  }

  /** From now on, and after each reconnection, `receive(data)` gets what comes on the stream. */
  subscribe(stream, receive) {
    this.#streams.set(stream, receive);
    this.#send("SUBSCRIBE", [stream]);
  }

  unsubscribe(stream) {
    this.#streams.delete(stream);
    this.#send("UNSUBSCRIBE", [stream]);
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/stream`);
    this.#socket = socket;
    socket.onopen = () => this.#subscribeAll();
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => {
      if (event.code === SIGNED_OUT) signedOut();
      else if (this.#socket === socket) this.#lost();
    };
  }

  /** The own stream in a request of its own: where it is refused, the market goes on. */
  #subscribeAll() {
    this.#ownIsLate = false;
    this.#subscribeOwn();
    this.#send("SUBSCRIBE", [...this.#streams.keys()].filter((stream) => stream !== OWN));
    this.#lastOfAll = this.#id;
  }

  #subscribeOwn() {
    if (!this.#streams.has(OWN)) return;
    this.#send("SUBSCRIBE", [OWN]);
    this.#lastOfOwn = this.#id;
  }

  /** While the server cannot tell who is signed in, it is asked again. */
  #answerOfOwn({ error }) {
    if (error?.code === NOT_SIGNED_IN) {
      signedOut();
    } else if (error?.code === UNAVAILABLE) {
      this.#ownIsLate = true;
      const wait = OWN_RETRY_MS * (0.5 + Math.random());
      this.#ownTimer = setTimeout(() => this.#subscribeOwn(), wait);
    } else if (!error && this.#ownIsLate) {
      this.#ownIsLate = false;
      this.onLate();
    }
  }

  #receive(message) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#socket?.close(), SILENCE_MS);
    if ("stream" in message) {
      this.#streams.get(message.stream)?.(message.data);
      return;
    }
    if (message.id === this.#lastOfOwn) this.#answerOfOwn(message);
    if (message.result === null && message.id === this.#lastOfAll) {
      // Everything is subscribed to: from now on all is seen.
      this.#retry = 0;
      this.onState("live");
    }
  }

  #lost() {
    clearTimeout(this.#watch);
    clearTimeout(this.#ownTimer);
    this.#socket = null;
    this.onState("stale");
    this.#retry = Math.min(Math.max(this.#retry * 2, RETRY_MS[0]), RETRY_MS[1]);
    this.#timer = setTimeout(() => this.#connect(), this.#retry * (0.5 + Math.random()));
  }

  #reconnectNow() {
    if (this.#socket !== null) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  #send(method, params) {
    if (this.#socket?.readyState !== WebSocket.OPEN || params.length === 0) return;
    this.#socket.send(JSON.stringify({ method, params, id: ++this.#id }));
  }
}
