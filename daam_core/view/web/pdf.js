// @ts-check
/** A drawing as a PDF of one page: lines stay lines, texts stay texts in a font that the file carries. */

/**
 * @typedef {import('./panel_drawing.js').Drawing} Drawing
 * @typedef {import('./vendor/print_font.js').PrintFont} PrintFont
 * @typedef {{data: ArrayLike<number>, width: number, height: number}} Picture
 */

const POINT = 72 / 25.4; // points to a millimetre
const BOLD = 600; // weight from which letters are bold
const SLANT = 0.2; // of letters in italics
const UNWRITTEN = 0x1000; // numbers from here on are of letters that the font has not, and that are only said

/** A number as a PDF wants it: without an exponent. @param {number} value */
function plain(value) {
  return String(Number(value.toFixed(3)));
}

/** @param {number[]} values */
function row(values) {
  return values.map(plain).join(' ');
}

/** @param {number} value */
function hex(value) {
  return value.toString(16).padStart(4, '0');
}

/** UTF-16 as hexadecimal digits. @param {string} text */
function utf16(text) {
  return Array.from({ length: text.length }, (_, i) => hex(text.charCodeAt(i))).join('');
}

/** Red, green, blue and how opaque, each 0 to 1; null for no colour. @param {string} colour */
function parts(colour) {
  if (colour === 'none' || colour === 'transparent') return null;
  if (colour.startsWith('#'))
    return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255).concat(1);
  const [r, g, b, opaque = 1] = (
    colour.replace(/^[a-z-]+\(\s*(srgb)?/, '').match(/[\d.]+(?:e-?\d+)?/g) || []
  ).map(Number);
  const whole = colour.startsWith('color(') ? 1 : 255;
  return [r / whole, g / whole, b / whole, opaque];
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function packed(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Which way words go, and letters up, on a page whose y goes down. @param {boolean} [turned] */
function ways(turned) {
  return turned ? [0, -1, -1, 0] : [1, 0, 0, -1];
}

/** One of the font's styles in a file: which of its glyphs are used, and what they say. */
class Face {
  /** @param {string} name @param {PrintFont} font */
  constructor(name, font) {
    this.name = name;
    this.font = font;
    this.places = new Map(Array.from(font.letters, (letter, i) => [letter, i]));
    this.some = font.glyphs[font.letters.indexOf('M')];
    /** @type {Map<number, string>} */
    this.said = new Map();
  }

  /** Glyphs as hexadecimal digits, and how wide they are for letters of size 1. @param {string} text */
  set(text) {
    let width = 0;
    const glyphs = Array.from(text, (letter) => {
      const place = this.places.get(letter) ?? 0;
      width += this.font.widths[place] / 1000;
      this.said.set(this.font.glyphs[place], letter);
      return hex(this.font.glyphs[place]);
    });
    return { glyphs: glyphs.join(''), width };
  }

  /** A number for letters that are only said. @param {string} text */
  unwritten(text) {
    const number = UNWRITTEN + this.said.size;
    this.said.set(number, text);
    return hex(number);
  }

  /** Its objects in the file; the number of the font. @param {Objects} objects */
  async add(objects) {
    const { font, said } = this;
    const name = `/DAAMPR+DAAM-Print-${this.name}`;
    const lines = Array.from(said, ([number, text]) => `<${hex(number)}> <${utf16(text)}>`);
    const blocks = [];
    for (let at = 0; at < lines.length; at += 100) {
      const some = lines.slice(at, at + 100);
      blocks.push(`${some.length} beginbfchar\n${some.join('\n')}\nendbfchar`);
    }
    const unicode =
      '/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n' +
      '/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n' +
      '/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n' +
      `1 begincodespacerange <0000> <ffff> endcodespacerange\n${blocks.join('\n')}\n` +
      'endcmap CMapName currentdict /CMap defineresource pop end end';
    const file = objects.add(
      `/Filter /FlateDecode /Length1 ${font.size}`,
      Uint8Array.from(atob(font.packed), (c) => c.charCodeAt(0)),
    );
    const look = objects.add(
      `/Type /FontDescriptor /FontName ${name} /Flags 4 /FontBBox [${row(font.box)}] /ItalicAngle 0 ` +
        `/Ascent ${font.ascent} /Descent ${font.descent} /CapHeight ${font.capitals} ` +
        `/StemV ${this.name === 'Bold' ? 140 : 80} /FontFile2 ${file} 0 R`,
    );
    const widths = font.glyphs.flatMap((glyph, i) =>
      said.has(glyph) ? [`${glyph} [${font.widths[i]}]`] : [],
    );
    // What is only said has the outline of some letter, never seen: readers take no notice of a glyph without one.
    const outlines = new Uint8Array(2 * (Math.max(...said.keys()) + 1));
    const view = new DataView(outlines.buffer);
    for (const number of said.keys()) view.setUint16(2 * number, number < UNWRITTEN ? number : this.some);
    const map = objects.add('/Filter /FlateDecode', await packed(outlines));
    const glyphs = objects.add(
      `/Type /Font /Subtype /CIDFontType2 /BaseFont ${name} /FontDescriptor ${look} 0 R /CIDToGIDMap ${map} 0 R ` +
        `/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /W [${widths.join(' ')}]`,
    );
    const words = objects.add('', new TextEncoder().encode(unicode));
    return objects.add(
      `/Type /Font /Subtype /Type0 /BaseFont ${name} /Encoding /Identity-H /DescendantFonts [${glyphs} 0 R] ` +
        `/ToUnicode ${words} 0 R`,
    );
  }
}

/** The numbered objects of a file. */
class Objects {
  constructor() {
    /** @type {[string, Uint8Array<ArrayBuffer> | undefined][]} dictionary and stream of each */
    this.all = [];
  }

  /** @param {string} dictionary @param {Uint8Array<ArrayBuffer>} [stream] @returns {number} of the object */
  add(dictionary, stream) {
    return this.all.push([dictionary, stream]);
  }

  /** @param {number} root @param {number} info @returns {Promise<Uint8Array<ArrayBuffer>>} */
  async file(root, info) {
    const encode = new TextEncoder();
    /** @type {Uint8Array<ArrayBuffer>[]} */
    const some = [];
    let at = 0;
    /** @param {string | Uint8Array<ArrayBuffer>} part */
    const add = (part) => {
      const bytes = typeof part === 'string' ? encode.encode(part) : part;
      some.push(bytes);
      at += bytes.length;
    };
    add('%PDF-1.4\n');
    const places = this.all.map(([dictionary, stream], i) => {
      const place = at;
      const length = stream ? ` /Length ${stream.length}` : '';
      add(`${i + 1} 0 obj\n<< ${dictionary}${length} >>\n`);
      for (const part of stream ? ['stream\n', stream, '\nendstream\n'] : []) add(part);
      add('endobj\n');
      return `${String(place).padStart(10, '0')} 00000 n \n`;
    });
    const size = this.all.length + 1;
    const end = `trailer\n<< /Size ${size} /Root ${root} 0 R /Info ${info} 0 R >>\nstartxref\n${at}\n%%EOF\n`;
    add(`xref\n0 ${size}\n0000000000 65535 f \n${places.join('')}${end}`);
    return new Uint8Array(await new Blob(some).arrayBuffer());
  }
}

/**
 * @param {Drawing} drawing with letters of the fonts alone
 * @param {Record<'regular' | 'bold', PrintFont>} fonts
 * @param {(canvas: HTMLCanvasElement) => Picture} [pixelsOf]
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function pdfOf(drawing, fonts, pixelsOf = read) {
  const { title, width, mm, shapes } = drawing;
  const [wide, high] = mm.map((size) => size * POINT);
  const objects = new Objects();
  const faces = { R: new Face('Regular', fonts.regular), B: new Face('Bold', fonts.bold) };
  /** @type {Set<number>} */
  const opacities = new Set();
  /** @type {number[]} */
  const images = [];
  /** @param {string} drawn @param {number} opaque */
  const through = (drawn, opaque) => {
    if (opaque === 1) return drawn;
    opacities.add(opaque);
    return `q /G${[...opacities].indexOf(opaque)} gs\n${drawn}\nQ`;
  };
  const scale = wide / width;
  const lines = [`${row([scale, 0, 0, -scale, 0, high])} cm 1 j`];
  for (const shape of shapes) {
    if (shape.kind === 'path') {
      const [fill, stroke] = [parts(shape.fill), parts(shape.stroke)];
      const steps = shape.steps.map(
        ([name, ...places]) => `${row(places)} ${name === 'Z' ? 'h' : name.toLowerCase()}`,
      );
      const set = [
        fill && `${row(fill.slice(0, 3))} rg`,
        stroke && `${row(stroke.slice(0, 3))} RG ${plain(shape.thick)} w [${row(shape.dashes)}] 0 d`,
      ];
      const paint = fill && stroke ? 'B' : fill ? 'f' : 'S';
      const opaque = shape.opacity * Math.min(fill?.[3] ?? 1, stroke?.[3] ?? 1);
      if (fill || stroke) lines.push(through([...set.filter(Boolean), ...steps, paint].join('\n'), opaque));
      continue;
    }
    const [dx, dy, ux, uy] = ways(shape.turned);
    if (shape.kind === 'text') {
      const face = Number(shape.weight) >= BOLD ? 'B' : 'R';
      const { glyphs, width: own } = faces[face].set(shape.text);
      const colour = parts(shape.colour) || [0, 0, 0, 1];
      const back = shape.width * ({ middle: 0.5, end: 1 }[shape.anchor] ?? 0);
      const slant = shape.style === 'italic' ? SLANT : 0;
      const up = [ux + slant * dx, uy + slant * dy, shape.x - back * dx, shape.y - back * dy];
      // As wide as it was laid out, whatever font that was in.
      const fit = plain(own ? (100 * shape.width) / (own * shape.size) : 100);
      lines.push(
        through(
          `BT ${row(colour.slice(0, 3))} rg /${face} ${plain(shape.size)} Tf ${fit} Tz ` +
            `${row([dx, dy, ...up])} Tm <${glyphs}> Tj ET`,
          colour[3],
        ),
      );
      continue;
    }
    const { x, y, width: w, height: h, says } = shape;
    images.push(await imageObject(objects, pixelsOf(shape.canvas), !shape.sharp));
    const corner = [x - h * ux, y - h * uy];
    lines.push(`q ${row([w * dx, w * dy, h * ux, h * uy, ...corner])} cm /I${images.length - 1} Do Q`);
    if (says) {
      const base = [x - 0.75 * h * ux, y - 0.75 * h * uy];
      const said = faces.R.unwritten(says);
      lines.push(
        `BT 3 Tr /R ${plain(h / 1.5)} Tf ${plain((w * 150) / h)} Tz ${row([dx, dy, ux, uy, ...base])} Tm <${said}> Tj 0 Tr ET`,
      );
    }
  }
  const content = objects.add(
    '/Filter /FlateDecode',
    await packed(new TextEncoder().encode(lines.join('\n'))),
  );
  const used = Object.entries(faces).filter(([, { said }]) => said.size);
  const fontObjects = [];
  for (const [name, face] of used) fontObjects.push(`/${name} ${await face.add(objects)} 0 R`);
  const states = [...opacities].map((opaque, i) => `/G${i} << /ca ${plain(opaque)} /CA ${plain(opaque)} >>`);
  const resources =
    `/Font << ${fontObjects.join(' ')} >> /ExtGState << ${states.join(' ')} >> ` +
    `/XObject << ${images.map((image, i) => `/I${i} ${image} 0 R`).join(' ')} >>`;
  const pages = objects.all.length + 2;
  const page = objects.add(
    `/Type /Page /Parent ${pages} 0 R /MediaBox [0 0 ${wide.toFixed(2)} ${high.toFixed(2)}] ` +
      `/Contents ${content} 0 R /Resources << ${resources} >>`,
  );
  objects.add(`/Type /Pages /Kids [${page} 0 R] /Count 1`);
  const root = objects.add(`/Type /Catalog /Pages ${pages} 0 R`);
  return objects.file(root, objects.add(`/Title <feff${utf16(title)}> /Producer (DAAM explorer)`));
}

/** @param {HTMLCanvasElement} canvas @returns {Picture} */
function read(canvas) {
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

/** Pixels without loss, what is transparent apart. @param {Objects} objects @param {Picture} picture */
async function imageObject(objects, { data, width, height }, smooth) {
  const rgb = new Uint8Array(width * height * 3);
  const opaque = new Uint8Array(width * height);
  for (let i = 0; i < opaque.length; i += 1) {
    for (let part = 0; part < 3; part += 1) rgb[3 * i + part] = data[4 * i + part];
    opaque[i] = data[4 * i + 3];
  }
  const shared = `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /BitsPerComponent 8 /Filter /FlateDecode`;
  const mask = opaque.some((value) => value < 255)
    ? ` /SMask ${objects.add(`${shared} /ColorSpace /DeviceGray`, await packed(opaque))} 0 R`
    : '';
  return objects.add(`${shared} /ColorSpace /DeviceRGB /Interpolate ${smooth}${mask}`, await packed(rgb));
}
