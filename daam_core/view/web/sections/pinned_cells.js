// @ts-check
/** The cells that a reader pinned: their numbers, a note each, and the way back to them. */
import { exactSheet, field, fieldNumeral, needCell, shownColumns } from '../fields.js';
import { Figure, Table } from '../figure.js';
import { html, useEffect, useStore } from '../html.js';
import { LONGEST_NOTE } from '../pins.js';
import { numeric, sheetOf } from '../sheets.js';

/** @typedef {import('../store.js').Store} Store */

const HELP =
  'Cells that you pinned, numbered as on the maps, with the numbers of what is shown. The list and its notes are ' +
  'kept in the link and in a saved page.';

/** Nothing where nothing is pinned. */
export function PinnedCells() {
  const store = useStore();
  const pins = store.pins();
  useEffect(() => {
    for (const { head } of pins) needCell(store, head);
  }, [pins, store.payload, store.quantity, store.state.side]);
  if (!pins.length) return null;
  const csv = async () => {
    const heads = Array.from(new Set(pins.map(({ head }) => head)));
    const sheet = await exactSheet(store, heads, shownColumns(store));
    return typeof sheet === 'string' ? sheet : sheetOf(listed(store, pins));
  };
  return html`<${Figure} title="Pinned cells" help=${HELP} ofClass csv=${csv}>
    <${Table} ...${listed(store, pins, true)} />
  <//>`;
}

/** @param {Store} store @param {import('../types.js').Pin[]} pins @param {boolean} shown with things to press */
function listed(store, pins, shown = false) {
  const columns = shownColumns(store);
  return {
    caption: `Pinned cells, ${pins.length}`,
    columns: [
      ...numeric('Pin', 'Head', store.axes().Row, store.axes().Column, ...columns.map(([title]) => title)),
      'Note',
      '',
      '',
    ],
    rows: pins.map((pin, i) => {
      const at = pin.layer * store.result().F + pin.feature;
      const numbers = columns.map(([, which]) => fieldNumeral(field(store, pin.head, which), at));
      const place = [i + 1, pin.head, pin.layer, pin.feature];
      return [...place, ...numbers, ...(shown ? pressed(store, pin, i) : [pin.note])];
    }),
  };
}

/** @param {Store} store @param {import('../types.js').Pin} pin @param {number} i */
function pressed(store, pin, i) {
  return [
    html`<input
      class="dv-input dv-pin-note"
      type="text"
      maxlength=${LONGEST_NOTE}
      placeholder="Write a note"
      aria-label="Note of pin ${i + 1}"
      value=${pin.note}
      onChange=${(e) => store.pin(pin, e.currentTarget.value)}
    />`,
    html`<button
      type="button"
      class="dv-button"
      aria-label="Look at pin ${i + 1}"
      onClick=${() => store.select(pin, 'heatmap')}
    >
      Look
    </button>`,
    html`<button
      type="button"
      class="dv-button"
      aria-label="Remove pin ${i + 1}"
      onClick=${() => store.pin(pin, null)}
    >
      Remove
    </button>`,
  ];
}
