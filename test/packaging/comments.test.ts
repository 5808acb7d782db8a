/** Which comments of a bundled file count as legal notices. */
import { expect, test } from '@jest/globals';
import { legalComments } from '../../packaging/supply/comments.js';

test.each([
  [
    'finds a block comment',
    "'use strict'\n/*\n * Copyright (c) A\n *\n * All rights\n */\nx()",
    ['Copyright (c) A\n\nAll rights'],
  ],
  [
    'finds consecutive line comments',
    '// Copyright (c) B\n// Some rights\nx() // copyright here is none\n',
    ['Copyright (c) B\nSome rights'],
  ],
  ['finds a comment that starts with an exclamation mark', '/*! @license C */ x()', ['@license C']],
  ['finds an indented comment with CRLF line ends', 'x()\r\n  /** Licensed under D */\r\ny()', ['Licensed under D']],
  ['ignores comment markers inside strings', 'x = "/* copyright */"; y = "*/*"', []],
  ['ignores comments without legal words', '// faster than before\n/* of all */', []],
])('%s', (_name, source, found) => {
  expect(legalComments(source)).toEqual(found);
});
