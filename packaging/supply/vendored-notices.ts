/** Licence notices of code that packages contain without a notice of their own, such as compiled programs embedded as a string. */

interface VendoredCode {
  /** Path of the file that contains the code. */
  file: RegExp;
  notice: string;
}

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const VENDORED_CODE: readonly VendoredCode[] = [
  {
    file: /node_modules\/undici\/lib\/llhttp\/llhttp.*\.js$/,
    notice: `llhttp (compiled to WebAssembly)\nLicensed under the MIT License.\n\nCopyright Fedor Indutny, 2018.\n\n${MIT}`,
  },
];

/** The notices that apply to these files, without duplicates. */
export const vendoredNotices = (files: readonly string[]): string[] =>
  VENDORED_CODE.flatMap(({ file, notice }) => (files.some(one => file.test(one)) ? [notice] : []));
