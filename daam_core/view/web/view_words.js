/* DaamView: importance on the words of a text. */
(function (D) {
  'use strict';

  const { h } = D;
  const { attribution, logits } = D.tokens;

  const MOST_WORDS = 4000; // drawn at first; a button shows the rest

  function wordValues(model, values) {
    return model.raw.words.list.map((word) => word.tokens.reduce((sum, t) => sum + values[t], 0));
  }

  function wordsPanel(model, state, scale, label) {
    const { words } = model.raw;
    const values = wordValues(model, attribution(model, state.tokenHead));
    const tip = h('div', { class: 'dv-tip', hidden: true, 'aria-hidden': 'true' });
    const live = h('div', { class: 'dv-hidden', 'aria-live': 'polite' });
    const readout = h(
      'p',
      { class: 'dv-note dv-number' },
      'Point at a word, or move with the arrow keys, to read its number.',
    );
    const spans = [];
    const body = h('div', {
      class: 'dv-words',
      tabindex: '0',
      role: 'group',
      dir: 'auto',
      lang: '',
      'aria-label': `${label}: words coloured by their share in the explained class's logit. Left and right arrow keys go from word to word.`,
    });
    const text = (index) => {
      const word = words.list[index];
      const pieces =
        word.tokens.length > 1
          ? `, pieces: ${word.tokens.map((t) => model.raw.token_labels[t]).join(' ')}`
          : '';
      return `“${word.text}” ${logits(values[index])}${pieces}`;
    };
    let current = -1;
    const show = (index, speak) => {
      if (current >= 0 && spans[current]) spans[current].classList.remove('dv-current');
      current = index;
      tip.hidden = index < 0;
      if (index < 0) return;
      const span = spans[index];
      span.classList.add('dv-current');
      tip.textContent = text(index);
      readout.textContent = text(index);
      if (speak) live.textContent = text(index);
      const place = span.getBoundingClientRect();
      const frame = box.getBoundingClientRect();
      tip.style.left = `${Math.max(0, Math.min(place.left - frame.left, frame.width - tip.offsetWidth))}px`;
      tip.style.top = `${place.bottom - frame.top + 4}px`;
    };
    const makeWord = (index, written) => {
      const colour = scale.colour(values[index]);
      const span = h(
        'span',
        { class: 'dv-word', style: { background: D.css(colour), color: D.ink(colour) } },
        written,
      );
      span.dataset.word = String(index);
      spans[index] = span;
      return span;
    };
    const fill = (limit) => {
      let shown = 0;
      const nodes = [];
      for (const [written, index] of words.pieces) {
        if (shown >= limit) break;
        if (index < 0) nodes.push(written);
        else {
          nodes.push(makeWord(index, written));
          shown += 1;
        }
      }
      body.replaceChildren(...nodes);
      return shown;
    };
    const total = words.pieces.filter(([, index]) => index >= 0).length;
    const shown = fill(MOST_WORDS);
    const more =
      shown < total
        ? D.button(`Show all ${D.count(total)} words`, () => {
            fill(Infinity);
            body.focus({ preventScroll: true });
            more.remove();
          })
        : null;
    const specials = words.list.map((word, index) => index).filter((index) => words.list[index].special);
    const extra = specials.length
      ? h(
          'p',
          { class: 'dv-note' },
          'Not part of the text: ',
          specials.map((index) => [makeWord(index, words.list[index].text), ` ${logits(values[index])}  `]),
        )
      : null;
    const box = h('div', { class: 'dv-words-box' }, body, tip, live);
    body.addEventListener(
      'pointerover',
      (e) => e.target.dataset && e.target.dataset.word && show(Number(e.target.dataset.word), false),
    );
    body.addEventListener('pointerleave', () => show(-1));
    body.addEventListener('blur', () => show(-1));
    const order = () => words.pieces.map(([, index]) => index).filter((index) => index >= 0 && spans[index]);
    body.addEventListener('keydown', (e) => {
      const list = order();
      const at = list.indexOf(current);
      const next = {
        ArrowRight: Math.min(list.length - 1, at + 1),
        ArrowLeft: Math.max(0, at - 1),
        Home: 0,
        End: list.length - 1,
      }[e.key];
      if (next === undefined || !list.length) return;
      e.preventDefault();
      show(list[next], true);
    });
    return { element: h('div', { class: 'dv-stack' }, box, more, extra, readout), destroy: () => {} };
  }

  function wordsTable(model, state, label) {
    const values = wordValues(model, attribution(model, state.tokenHead));
    const list = model.raw.words.list
      .map((word, i) => i)
      .filter((i) => model.raw.words.list[i].tokens.length);
    const row = (i) => [
      model.raw.words.list[i].text,
      D.exact(values[i]),
      model.raw.words.list[i].tokens.map((t) => model.raw.token_labels[t]).join(' '),
    ];
    const columns = ['Word', { title: 'Logits', number: true }, 'Pieces'];
    const top = list
      .slice()
      .sort((i, j) => Math.abs(values[j]) - Math.abs(values[i]))
      .slice(0, state.top);
    return h(
      'div',
      { class: 'dv-stack' },
      D.table(`${label}The ${top.length} words of largest size`, columns, top.map(row)),
      D.table(
        `${label}First ${Math.min(50, list.length)} of ${list.length} words`,
        columns,
        list.slice(0, 50).map(row),
      ),
    );
  }

  const MOST_PAIRS = 4e6; // pairs of words that are compared to align two texts

  /** Longest common subsequence of two lists of texts: pairs [i, j] in order, or null where that is too much. */
  D.alignWords = function (one, other) {
    // What both begin and end with is the same in any case; an edited text differs in a few places only.
    let start = 0;
    while (start < one.length && start < other.length && one[start] === other[start]) start += 1;
    let end = 0;
    const most = Math.min(one.length, other.length) - start;
    while (end < most && one[one.length - 1 - end] === other[other.length - 1 - end]) end += 1;
    const inner = innerPairs(one.slice(start, one.length - end), other.slice(start, other.length - end));
    if (!inner) return null;
    return D.range(start)
      .map((i) => [i, i])
      .concat(
        inner.map(([i, j]) => [i + start, j + start]),
        D.range(end).map((i) => [one.length - end + i, other.length - end + i]),
      );
  };

  function innerPairs(one, other) {
    const width = other.length + 1;
    if (one.length * other.length > MOST_PAIRS) return null;
    const length = new Uint16Array((one.length + 1) * width); // of what is left from [i, j] on
    for (let i = one.length - 1; i >= 0; i -= 1) {
      for (let j = other.length - 1; j >= 0; j -= 1) {
        length[i * width + j] =
          one[i] === other[j]
            ? 1 + length[(i + 1) * width + j + 1]
            : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
      }
    }
    const pairs = [];
    let i = 0;
    let j = 0;
    while (i < one.length && j < other.length) {
      if (one[i] === other[j]) pairs.push([i++, j++]);
      else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) i += 1;
      else j += 1;
    }
    return pairs;
  }

  /** Words that two different texts share, in order, and how the share of each changes. */
  function wordsDifference(models, state, names) {
    // Marks that the tokenizer adds are in every text, and no words.
    const own = models.map((model) => {
      const values = wordValues(model, attribution(model, state.tokenHead));
      return model.raw.words.list
        .map((word, i) => ({ text: word.text, value: values[i], special: word.special }))
        .filter((word) => !word.special);
    });
    const texts = own.map((words) => words.map((word) => word.text));
    const values = own.map((words) => words.map((word) => word.value));
    const pairs = D.alignWords(texts[0], texts[1]);
    if (!pairs)
      return h('p', { class: 'dv-note' }, 'The two texts are too long to be aligned word by word here.');
    const change = ([i, j]) => values[1][j] - values[0][i];
    const largest = pairs.slice().sort((p, q) => Math.abs(change(q)) - Math.abs(change(p)));
    const columns = ['Word'].concat(names.map((title) => ({ title: title, number: true })));
    const lonely = [0, 1].map((side) => {
      const paired = new Set(pairs.map((pair) => pair[side]));
      const rest = D.range(texts[side].length).filter((k) => !paired.has(k));
      if (!rest.length) return null;
      const shown = rest.slice(0, 40).map((k) => `${texts[side][k]} (${D.signed(values[side][k], 3)})`);
      const more = rest.length > 40 ? ` and ${rest.length - 40} more` : '';
      return h('p', { class: 'dv-note' }, `Only in ${names[side]}: ${shown.join(', ')}${more}.`);
    });
    return h(
      'div',
      { class: 'dv-stack' },
      D.table(
        pairs.length
          ? `Largest changes among the ${pairs.length} words that both texts share, in logits`
          : 'The two texts share no word',
        columns,
        largest
          .slice(0, state.top)
          .map((pair) => [
            texts[0][pair[0]],
            D.exact(values[0][pair[0]]),
            D.exact(values[1][pair[1]]),
            D.exact(Math.fround(change(pair))),
          ]),
      ),
      lonely,
    );
  }

  D.tokenKinds.text = {
    title: 'Back to the text',
    help:
      'Share of each word in the explained class’s logit, with the gate held fixed: orange speaks for the class, blue against ' +
      'it. It does not say what would happen if the word were left out; the encoder would read the rest differently.',
    panel: wordsPanel,
    grouped: wordValues,
    table: wordsTable,
    difference: wordsDifference,
  };
})((window.DaamView = window.DaamView || {}));
