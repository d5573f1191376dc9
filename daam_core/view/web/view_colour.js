/* DaamView: colours. The same thing has the same colour everywhere. */
(function (D) {
  'use strict';

  // 256 colours each, as published with matplotlib (cividis: Nuñez, Anderton, Renslow 2018).
  const TABLES = {
    cividis:
      '00224e00234f00245100255300255400265600275800285900285b00295d002a5f002a61002b62002c64002c66002d68002e6a002e6c' +
      '002f6d00306f0030700031700031710132710533710833700c34700f357012357014367016377018376f1a386f1c396f1e3a6f203a6f' +
      '213b6e233c6e243c6e263d6e273e6e293f6e2a3f6d2b406d2d416d2e416d2f426d31436d32436d33446d34456c35456c36466c38476c' +
      '39486c3a486c3b496c3c4a6c3d4a6c3e4b6c3f4c6c404c6c414d6c424e6c434e6c444f6c45506c46516c47516c48526c49536c4a536c' +
      '4b546c4c556c4d556c4e566c4f576c50576c51586d52596d535a6d545a6d555b6d555c6d565c6d575d6d585e6d595e6e5a5f6e5b606e' +
      '5c616e5d616e5e626e5e636f5f636f60646f61656f62656f636670646770656870656870666970676a71686a71696b716a6c716b6d72' +
      '6c6d726c6e726d6f726e6f736f70737071737172747272747273747374757474757575757676767777767777777878777979777a7a78' +
      '7b7a787c7b787d7c787e7c787e7d787f7e78807f78817f788280798381798482798582798683798784788885788985788a86788b8778' +
      '8c88788d88788e89788f8a78908b78918b78928c78928d78938e78948e77958f779690779791779892779992779a93769b94769c9576' +
      '9d95769e96769f9775a09875a19975a29975a39a74a49b74a59c74a69c74a79d73a89e73a99f73aaa073aba072aca172ada272aea371' +
      'afa471b0a571b1a570b3a670b4a76fb5a86fb6a96fb7a96eb8aa6eb9ab6dbaac6dbbad6dbcae6cbdae6cbeaf6bbfb06bc0b16ac1b26a' +
      'c2b369c3b369c4b468c5b568c6b667c7b767c8b866c9b965cbb965ccba64cdbb63cebc63cfbd62d0be62d1bf61d2c060d3c05fd4c15f' +
      'd5c25ed6c35dd7c45cd9c55cdac65bdbc75adcc859ddc858dec958dfca57e0cb56e1cc55e2cd54e4ce53e5cf52e6d051e7d150e8d24f' +
      'e9d34eead34cebd44bedd54aeed649efd748f0d846f1d945f2da44f3db42f5dc41f6dd3ff7de3ef8df3cf9e03afbe138fce236fde334' +
      'fee434fee535fee636fee838',
    viridis:
      '44015444025645045745055946075a46085c460a5d460b5e470d60470e6147106347116447136548146748166848176948186a481a6c' +
      '481b6d481c6e481d6f481f70482071482173482374482475482576482677482878482979472a7a472c7a472d7b472e7c472f7d46307e' +
      '46327e46337f463480453581453781453882443983443a83443b84433d84433e85423f85424086424186414287414487404588404688' +
      '3f47883f48893e49893e4a893e4c8a3d4d8a3d4e8a3c4f8a3c508b3b518b3b528b3a538b3a548c39558c39568c38588c38598c375a8c' +
      '375b8d365c8d365d8d355e8d355f8d34608d34618d33628d33638d32648e32658e31668e31678e31688e30698e306a8e2f6b8e2f6c8e' +
      '2e6d8e2e6e8e2e6f8e2d708e2d718e2c718e2c728e2c738e2b748e2b758e2a768e2a778e2a788e29798e297a8e297b8e287c8e287d8e' +
      '277e8e277f8e27808e26818e26828e26828e25838e25848e25858e24868e24878e23888e23898e238a8d228b8d228c8d228d8d218e8d' +
      '218f8d21908d21918c20928c20928c20938c1f948c1f958b1f968b1f978b1f988b1f998a1f9a8a1e9b8a1e9c891e9d891f9e891f9f88' +
      '1fa0881fa1881fa1871fa28720a38620a48621a58521a68522a78522a88423a98324aa8325ab8225ac8226ad8127ad8128ae8029af7f' +
      '2ab07f2cb17e2db27d2eb37c2fb47c31b57b32b67a34b67935b77937b87838b9773aba763bbb753dbc743fbc7340bd7242be7144bf70' +
      '46c06f48c16e4ac16d4cc26c4ec36b50c46a52c56954c56856c66758c7655ac8645cc8635ec96260ca6063cb5f65cb5e67cc5c69cd5b' +
      '6ccd5a6ece5870cf5773d05675d05477d1537ad1517cd2507fd34e81d34d84d44b86d54989d5488bd6468ed64590d74393d74195d840' +
      '98d83e9bd93c9dd93ba0da39a2da37a5db36a8db34aadc32addc30b0dd2fb2dd2db5de2bb8de29bade28bddf26c0df25c2df23c5e021' +
      'c8e020cae11fcde11dd0e11cd2e21bd5e21ad8e219dae319dde318dfe318e2e418e5e419e7e419eae51aece51befe51cf1e51df4e61e' +
      'f6e620f8e621fbe723fde725',
  };

  // Blue – white – orange, ColorBrewer's Blues and Oranges: told apart with any colour vision.
  D.DIVERGING = [
    '#08306b',
    '#2171b5',
    '#6baed6',
    '#c6dbef',
    '#f7f7f7',
    '#fdd0a2',
    '#fd8d3c',
    '#d94801',
    '#7f2704',
  ];

  // Okabe and Ito's colours, in a fixed order; a ninth head begins again.
  D.HEAD_COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', '#7f7f7f'];

  D.headColour = function (head) {
    return D.HEAD_COLOURS[head % D.HEAD_COLOURS.length];
  };

  function rgb(hex) {
    const n = parseInt(hex.replace('#', ''), 16);
    return [n >> 16, (n >> 8) & 255, n & 255];
  }

  function fromTable(hexes) {
    return D.range(256).map((i) => rgb(hexes.slice(6 * i, 6 * i + 6)));
  }

  function fromAnchors(anchors) {
    const points = anchors.map(rgb);
    return D.range(256).map((i) => {
      const place = (i / 255) * (points.length - 1);
      const left = Math.min(Math.floor(place), points.length - 2);
      return points[left].map((v, c) => Math.round(v + (place - left) * (points[left + 1][c] - v)));
    });
  }

  const ready = {};

  /** 256 [r, g, b] of a palette: cividis, viridis, grey or diverging. */
  D.palette = function (name) {
    if (!ready[name]) {
      if (name === 'diverging') ready[name] = fromAnchors(D.DIVERGING);
      else if (name === 'grey') ready[name] = D.range(256).map((i) => [i, i, i]);
      else ready[name] = fromTable(TABLES[name] || TABLES.cividis);
    }
    return ready[name];
  };

  D.css = function (colour) {
    return `rgb(${colour[0]}, ${colour[1]}, ${colour[2]})`;
  };

  /** Black or white, whichever is easier to read on a colour (WCAG 2 contrast). */
  D.ink = function (colour) {
    const linear = colour.map((v) => (v <= 10 ? v / 3294.6 : Math.pow((v / 255 + 0.055) / 1.055, 2.4)));
    const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    return luminance > 0.179 ? '#000' : '#fff';
  };

  /**
   * How numbers become colours.
   * limits [lowest, highest]; signed limits are symmetric. `thresholds` (255 ascending numbers) makes it
   * a rank scale: colour i stands for the numbers between two neighbouring thresholds.
   */
  D.scale = function (limits, palette, thresholds) {
    const [low, high] = limits;
    const table = D.palette(palette);
    const factor = high > low ? 255 / (high - low) : 0;
    const constant = palette === 'diverging' ? 128 : 0; // no contrast to show: neutral, or lowest
    const index = thresholds
      ? function (value) {
          let left = 0;
          let right = thresholds.length;
          while (left < right) {
            const middle = (left + right) >> 1;
            if (thresholds[middle] <= value) left = middle + 1;
            else right = middle;
          }
          return left;
        }
      : function (value) {
          if (factor === 0) return constant;
          const i = Math.round((value - low) * factor);
          return i < 0 ? 0 : i > 255 ? 255 : i;
        };
    return {
      limits: limits,
      constant: !(high > low),
      table: table,
      thresholds: thresholds || null,
      index: index,
    };
  };

  /** 255 thresholds that split the numbers of several maps into 256 groups of equal size. */
  D.rankThresholds = function (maps, signed) {
    const size = maps.reduce((n, map) => n + map.length, 0);
    const all = new Float32Array(size);
    let at = 0;
    maps.forEach((map) => {
      all.set(map, at);
      at += map.length;
    });
    if (signed) for (let i = 0; i < size; i += 1) all[i] = Math.abs(all[i]);
    all.sort(); // NaN last
    let count = size;
    while (count > 0 && Number.isNaN(all[count - 1])) count -= 1;
    const quantile = (share) => all[Math.min(count - 1, Math.floor(share * count))];
    const out = new Float32Array(255);
    for (let i = 0; i < 255; i += 1) {
      // A signed scale ranks sizes on each side of zero, so that zero keeps the middle colour.
      if (!signed) out[i] = quantile((i + 1) / 256);
      else out[i] = i < 127 ? -quantile(1 - (i + 1) / 128) : quantile((i - 127) / 128);
    }
    if (signed) out[127] = Math.max(out[127], 1e-45);
    return out;
  };
})((window.DaamView = window.DaamView || {}));
