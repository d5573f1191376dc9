// @ts-check
/** The selected part of a sound: how it is set, and its player. */
import * as format from '../format.js';
import { html, useEffect, useRef, useState } from '../html.js';

/** @typedef {{from: number, to: number}} Part in seconds */

const SHORTEST = 0.02; // seconds of a part

/**
 * The part between two moments, within the sound; null where it is next to nothing.
 * @param {number} one
 * @param {number} other
 * @param {number} duration
 * @returns {Part | null}
 */
export function partBetween(one, other, duration) {
  const from = Math.max(0, Math.min(one, other));
  const to = Math.min(duration, Math.max(one, other));
  return to - from >= SHORTEST ? { from, to } : null;
}

/**
 * Where to go on playing: null as long as the part goes on, its beginning when it is looped, 'stop' else.
 * @param {Part} part
 * @param {number} now
 * @param {boolean} loop
 */
export function afterPart(part, now, loop) {
  if (now < part.to) return null;
  return loop ? part.from : 'stop';
}

/**
 * Plays a part of what a player holds, once or over and over.
 * @param {{current: HTMLAudioElement | null}} audio
 */
export function usePartPlayer(audio) {
  const playing = useRef(/** @type {Part | null} */ (null));
  const looped = useRef(false);
  const [loop, setLoop] = useState(false);
  looped.current = loop;
  useEffect(() => {
    const player = audio.current;
    if (!player) return undefined;
    let frame = 0;
    const check = () => {
      cancelAnimationFrame(frame);
      frame = 0;
      const part = playing.current;
      if (!part) return;
      const next = afterPart(part, player.ended ? part.to : player.currentTime, looped.current);
      if (next === 'stop') {
        playing.current = null;
        player.pause();
      } else {
        if (next !== null) {
          player.currentTime = next;
          player.play().catch(() => {});
        }
        frame = requestAnimationFrame(check);
      }
    };
    const events = ['play', 'timeupdate', 'ended']; // frames stop in a hidden tab
    for (const event of events) player.addEventListener(event, check);
    return () => {
      cancelAnimationFrame(frame);
      for (const event of events) player.removeEventListener(event, check);
    };
  }, []);
  return {
    loop,
    setLoop,
    /** @param {Part | null} part null: what is played next is played to the end */
    play: (part) => {
      playing.current = part;
      if (!part || !audio.current) return;
      audio.current.currentTime = part.from;
      audio.current.play().catch(() => {});
    },
  };
}

/**
 * Buttons for the selected part or, without one, the part that is shown.
 * @param {{part: Part | null, shown: Part | null, player: ReturnType<typeof usePartPlayer>, clear: () => void}} props
 */
export function PartButtons({ part, shown, player, clear }) {
  const played = part || shown;
  const said = played && `${format.fixed(played.from, 2)} to ${format.fixed(played.to, 2)} s`;
  return html`<div class="dv-control" role="group" aria-label="Part of the sound">
    <span class="dv-label" role="status">
      ${said ? `${part ? 'Selected' : 'Shown'}: ${said}` : 'Drag over the sound to select a part'}
    </span>
    <div class="dv-row dv-part-buttons">
      <button type="button" class="dv-button" disabled=${!played} onClick=${() => player.play(played)}>
        Play part
      </button>
      <button
        type="button"
        class="dv-button"
        aria-pressed=${String(player.loop)}
        onClick=${() => player.setLoop(!player.loop)}
      >
        Loop
      </button>
      <button type="button" class="dv-button" disabled=${!part} onClick=${clear}>Clear</button>
    </div>
  </div>`;
}
