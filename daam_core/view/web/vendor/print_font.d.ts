// The letters that a saved PDF carries, and what it says of them; widths and heights in thousandths of the size.
export type PrintFont = {
  letters: string;
  glyphs: number[]; // of each letter, its number in the font
  widths: number[];
  box: number[];
  ascent: number;
  descent: number;
  capitals: number; // height
  size: number; // bytes of the TrueType file
  packed: string; // the file, deflated, in base64
};
export const FONTS: Record<'regular' | 'bold', PrintFont>;
