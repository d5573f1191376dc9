// @ts-check
/** Importance over the seconds of a sound, with its waveform, spectrogram and a player. */
import { bounds } from '../arrays.js';
import { ZoomButtons } from '../controls.js';
import * as format from '../format.js';
import {
  html,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRedraw,
  useRef,
  useState,
  useStore,
  useWidth,
  wheelFactor,
  wheelZooms,
} from '../html.js';
import { curveBounds, drawCurve, drawMel, drawWave } from './sound_drawing.js';
import { PartButtons, partBetween, usePartPlayer } from './sound_part.js';
import { attribution, placedTokens, spanOf, tokenText } from './tokens.js';

/**
 * @typedef {import('./tokens.js').Shown} Shown
 * @typedef {{
 *   now: number, from: number, to: number, part: import('./sound_part.js').Part | null,
 * }} Place the cursor, what is shown, and what is selected, in seconds
 */

const SHORTEST = 0.5; // seconds that zooming in goes down to

/** Where one was in each sound: it outlasts the panel. @type {WeakMap<object, Place>} */
const places = new WeakMap();

/**
 * What a panel shows of a sound: its tokens [{t, start, end, value}] in order, its media and length.
 * @param {Shown} result
 * @param {Float32Array} values
 */
function soundOf(result, values) {
  const media = result.raw.media?.audio || null;
  const tokens = placedTokens(result).map((t) => {
    const [start, end] = spanOf(result, t);
    return { t, start, end, value: values[t] };
  });
  const [, end] = bounds(tokens.map((token) => token.end));
  const duration = Math.max(media ? media.duration : 0, end) || 1;
  return { media, tokens, duration };
}

/** @typedef {ReturnType<typeof soundOf>} Sound */

/** The token at a moment, by halving. @param {Sound} sound @param {number} seconds */
function tokenAt({ tokens }, seconds) {
  let [left, right] = [0, tokens.length];
  while (left < right) {
    const middle = (left + right) >> 1;
    if (tokens[middle].start <= seconds) left = middle + 1;
    else right = middle;
  }
  const found = tokens[left - 1];
  return found && seconds < found.end ? found.t : -1;
}

export function SoundPanel({ result, tokenHead, scale, label }) {
  const values = attribution(result, tokenHead);
  const sound = useMemo(() => soundOf(result, values), [result, values]);
  const { media, duration } = sound;
  const audio = useRef(null);
  const stage = useRef(null);
  const width = useWidth(stage);
  const [pointed, setPointed] = useState(-1);
  const place = usePlace(result.raw, duration);
  const { now, from, to, part } = place.current;
  const player = usePartPlayer(audio);
  const pressed = useRef(/** @type {{x: number, seconds: number} | null} */ (null));
  useDrawing(stage, { sound, scale, from, to, width });
  /** @param {number} seconds */
  const move = (seconds) => {
    setPointed(-1);
    place.move(seconds);
  };
  useFollowing(audio, now, move);
  /** @param {number} seconds */
  const seek = (seconds) => {
    move(seconds);
    player.play(null);
    if (audio.current) audio.current.currentTime = place.current.now;
  };
  const share = (seconds) => (seconds - from) / (to - from);
  const secondsAt = (e) => {
    const box = stage.current.getBoundingClientRect();
    return from + ((e.clientX - box.left) / box.width) * (to - from);
  };
  useWheel(stage, (e) => {
    const sideways = Math.abs(e.deltaX) > Math.abs(e.deltaY);
    const factor = wheelFactor(e);
    // Nothing left to zoom out of or to move, or nobody has turned to it: the page scrolls.
    if (to - from >= duration && (sideways || factor > 1)) return;
    if (!sideways && !wheelZooms(e, stage.current)) return;
    e.preventDefault();
    const middle = (from + to) / 2;
    const at = secondsAt(e); // stays under the pointer
    if (sideways) place.show(to - from, middle + (e.deltaX / width) * (to - from));
    else place.show((to - from) * factor, at + (middle - at) * factor);
  });
  const text = (t) => tokenText(result, values, t);
  const here = tokenAt(sound, now);
  const atNow = here < 0 ? `${now.toFixed(2)} s: no token here` : text(here);
  let said = 'Point at a moment, or move with the arrow keys, to read its number.';
  if (pointed >= 0) said = text(pointed);
  else if (place.moved()) said = atNow;
  return html`<div class="dv-stack">
    <div class="dv-row dv-player">
      ${
        media?.url &&
        html`<audio ref=${audio} controls preload="metadata" src=${media.url} class="dv-audio" aria-label="${label}: sound"></audio>`
      }
      ${
        duration > SHORTEST &&
        html`<${ZoomButtons} work=${place.zoom} all="Show the whole sound" disabled=${to - from >= duration} />`
      }
      ${
        media?.url &&
        html`<${PartButtons}
          part=${part}
          shown=${to - from < duration ? { from, to } : null}
          player=${player}
          clear=${() => place.select(null)}
        />`
      }
    </div>
    <div class="dv-sound">
      <div
        ref=${stage}
        class="dv-sound-stage"
        tabindex="0"
        role="slider"
        aria-label="${label}: position in the sound. Plus and minus zoom, 0 shows everything, the space bar plays, square brackets begin and end a part, P plays it."
        aria-keyshortcuts="ArrowLeft ArrowRight Home End PageUp PageDown + - 0 Space [ ] p"
        aria-valuemin="0"
        aria-valuemax=${duration.toFixed(2)}
        aria-valuenow=${place.moved() ? now.toFixed(2) : '0'}
        aria-valuetext=${place.moved() ? atNow : 'start'}
        onPointerMove=${(e) => {
          const t = tokenAt(sound, secondsAt(e));
          if (t >= 0) setPointed(t);
          const start = pressed.current;
          if (start && Math.abs(e.clientX - start.x) > 4) {
            place.select(partBetween(start.seconds, secondsAt(e), duration));
          }
        }}
        onPointerLeave=${() => {
          setPointed(-1);
          place.touch();
        }}
        onPointerDown=${(e) => {
          stage.current.setPointerCapture(e.pointerId);
          pressed.current = { x: e.clientX, seconds: secondsAt(e) };
          seek(secondsAt(e));
        }}
        onPointerUp=${() => {
          pressed.current = null;
        }}
        onPointerCancel=${() => {
          pressed.current = null;
        }}
        onKeyDown=${(e) => {
          if (key(e, sound, place, seek, audio.current, player)) e.preventDefault();
        }}
      >
        <canvas class="dv-sound-canvas dv-wave" aria-hidden="true"></canvas>
        ${media?.mel && html`<canvas class="dv-sound-canvas dv-mel" aria-hidden="true"></canvas>`}
        <canvas class="dv-sound-canvas dv-curve" aria-hidden="true"></canvas>
        <div
          class="dv-part"
          aria-hidden="true"
          hidden=${!part}
          style=${{ left: `${100 * share(part?.from ?? 0)}%`, width: `${(100 * ((part?.to ?? 0) - (part?.from ?? 0))) / (to - from)}%` }}
        ></div>
        <div
          class="dv-playhead"
          aria-hidden="true"
          hidden=${!place.moved() || share(now) < 0 || share(now) > 1}
          style=${{ left: `${100 * share(now)}%` }}
        ></div>
      </div>
      <div class="dv-ticks dv-column-ticks" aria-hidden="true">${width > 0 && timeTicks(place.current, width)}</div>
      <input
        class="dv-scroll"
        type="range"
        min="0"
        max="1"
        step="any"
        hidden=${to - from >= duration}
        value=${to - from >= duration ? 0 : from / (duration - (to - from))}
        aria-label="${label}: part of the sound that is shown"
        onInput=${(e) =>
          place.show(to - from, Number(e.currentTarget.value) * (duration - (to - from)) + (to - from) / 2)}
      />
    </div>
    <p class="dv-note dv-number dv-said">${said}</p>
    <p class="dv-note">${facts(sound)}</p>
  </div>`;
}

/** The place in a sound, and the ways to change it. @param {object} owner @param {number} duration */
function usePlace(owner, duration) {
  const redraw = useRedraw();
  const kept = useRef(null);
  if (!kept.current) kept.current = places.get(owner) || { now: 0, from: 0, to: duration, part: null };
  const touched = useRef(kept.current.now > 0);
  /** @param {Partial<Place>} change */
  const set = (change) => {
    kept.current = { ...kept.current, ...change };
    places.set(owner, kept.current);
    redraw();
  };
  /** Shows `seconds` of the sound around a moment. @param {number} seconds @param {number} middle */
  const show = (seconds, middle) => {
    const length = Math.min(duration, Math.max(Math.min(duration, SHORTEST), seconds));
    const from = Math.max(0, Math.min(duration - length, middle - length / 2));
    set({ from, to: from + length });
  };
  return {
    /** @returns {Place} */
    get current() {
      return kept.current;
    },
    /** Whether the reader has turned to the sound. */
    moved: () => touched.current,
    touch: () => {
      touched.current = true;
      redraw();
    },
    show,
    /** @param {Place['part']} part */
    select: (part) => {
      touched.current = true;
      set({ part });
    },
    /** @param {number} seconds */
    move: (seconds) => {
      touched.current = true;
      const { from, to } = kept.current;
      const now = Math.max(0, Math.min(duration, seconds));
      if (now < from || now > to) show(to - from, now + 0.4 * (to - from)); // turn the page
      set({ now });
    },
    /** @param {'in' | 'out' | 'all'} how */
    zoom: (how) => {
      const { now, from, to } = kept.current;
      const middle = now >= from && now <= to ? now : (from + to) / 2;
      if (how === 'all') show(duration, 0);
      else show((to - from) * (how === 'in' ? 0.5 : 2), middle);
    },
  };
}

/**
 * Whether a key did something.
 * @param {KeyboardEvent} e
 * @param {Sound} sound
 * @param {(seconds: number) => void} seek
 * @param {HTMLAudioElement | null} audio
 */
function key(e, { tokens, duration }, place, seek, audio, player) {
  if (e.ctrlKey || e.metaKey || e.altKey) return false; // the browser's own zoom and history
  const { now, part, from, to } = place.current;
  const step = tokens.length ? Math.max(0.02, tokens[0].end - tokens[0].start) : 0.1;
  /** @type {Record<string, number>} */
  const moves = {
    ArrowRight: now + step,
    ArrowUp: now + step,
    ArrowLeft: now - step,
    ArrowDown: now - step,
    PageUp: now + duration / 10,
    PageDown: now - duration / 10,
    Home: 0,
    End: duration,
  };
  if (moves[e.key] !== undefined) seek(moves[e.key]);
  else if (e.key === '+' || e.key === '=') place.zoom('in');
  else if (e.key === '-') place.zoom('out');
  else if (e.key === '0') place.zoom('all');
  else if (e.key === '[')
    place.select(partBetween(now, part && part.to > now ? part.to : duration, duration));
  else if (e.key === ']') place.select(partBetween(part && part.from < now ? part.from : 0, now, duration));
  else if (e.key === 'p') player.play(part || { from, to });
  else if (e.key === 'Escape' && part) place.select(null);
  else if (e.key === ' ' && audio) {
    if (audio.paused) audio.play().catch(() => {});
    else audio.pause();
  } else return false;
  return true;
}

/**
 * Keeps the place in step with the player, which goes on where one was.
 * @param {any} audio
 * @param {number} now
 * @param {(seconds: number) => void} move
 */
function useFollowing(audio, now, move) {
  const latest = useRef(move);
  latest.current = move;
  useEffect(() => {
    const player = audio.current;
    if (!player) return undefined;
    if (now > 0) player.currentTime = now;
    let frame = 0;
    const follow = () => {
      latest.current(player.currentTime);
      frame = player.paused ? 0 : requestAnimationFrame(follow);
    };
    const begin = () => {
      if (!frame) frame = requestAnimationFrame(follow);
    };
    const jump = () => latest.current(player.currentTime);
    player.addEventListener('play', begin);
    player.addEventListener('seeked', jump);
    return () => {
      player.removeEventListener('play', begin);
      player.removeEventListener('seeked', jump);
      cancelAnimationFrame(frame);
      player.pause();
    };
  }, []);
}

/** The wheel, in a way that can keep the page from scrolling. @param {(e: WheelEvent) => void} turn */
function useWheel(stage, turn) {
  const latest = useRef(turn);
  latest.current = turn;
  useEffect(() => {
    /** @param {WheelEvent} e */
    const listener = (e) => latest.current(e);
    stage.current.addEventListener('wheel', listener, { passive: false });
    return () => stage.current?.removeEventListener('wheel', listener);
  }, []);
}

/** Draws in the next frame, however often what is drawn changes before. */
function useDrawing(stage, shown) {
  const { dark, state } = useStore();
  const { sound, scale, from, to, width } = shown;
  useLayoutEffect(() => {
    if (!width) return undefined;
    const absolute = state.tokenMode === 'absolute';
    const frame = requestAnimationFrame(() => {
      const canvas = (name) => stage.current.querySelector(`.${name}`);
      const drawn = { ...shown, dark };
      drawWave(canvas('dv-wave'), drawn);
      if (sound.media?.mel) drawMel(canvas('dv-mel'), drawn);
      drawCurve(canvas('dv-curve'), { ...drawn, absolute });
    });
    return () => cancelAnimationFrame(frame);
  }, [sound, scale, from, to, width, dark, state.tokenMode]);
}

const LETTER = 7; // CSS pixels that one takes at most under the sound

/** Seconds under the sound. @param {Pick<Place, 'from' | 'to'>} place @param {number} width */
export function timeTicks({ from, to }, width) {
  const marks = format.ticks(from, to, Math.max(2, width / 80));
  const step = marks.length > 1 ? marks[1] - marks[0] : 1;
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return marks.map((v) => {
    const text = `${v.toFixed(decimals)} s`;
    const half = (text.length * LETTER) / 2; // numbers stay inside, whole
    const left = Math.max(half, Math.min(width - half, ((v - from) / (to - from)) * width));
    return html`<span style=${{ left: `${left.toFixed(1)}px` }}>${text}</span>`;
  });
}

/** What the three drawings are. @param {Sound} sound */
function facts({ media, tokens }) {
  const { state, dark } = useStore();
  const [low, high] = curveBounds(tokens, state.tokenMode === 'absolute');
  const curve = `Bottom: the curve, from ${format.short(low)} to ${format.short(high)} logits.`;
  if (!media?.mel) return `Top: the colour of each moment. ${curve}`;
  const top = format.count(media.mel.top_hz);
  return `Top: waveform on the colour of each moment. Middle: mel spectrogram, 0 to ${top} Hz, ${dark ? 'light' : 'dark'} is loud. ${curve}`;
}
