/** Which comments of a bundled file are notices. */
import { expect, test } from '@jest/globals';
import { legalComments } from '../../packaging/supply/comments.js';

test.each([
  ['a block', "'use strict'\n/*\n * Copyright (c) A\n *\n * All rights\n */\nx()", ['Copyright (c) A\n\nAll rights']],
  ['lines', '// Copyright (c) B\n// Some rights\nx() // copyright here is none\n', ['Copyright (c) B\nSome rights']],
  ['one that must stay', '/*! @license C */ x()', ['@license C']],
  ['one in the middle, with other line ends', 'x()\r\n  /** Licensed under D */\r\ny()', ['Licensed under D']],
  ['none in a text', 'x = "/* copyright */"; y = "*/*"', []],
  ['none that speaks of other things', '// faster than before\n/* of all */', []],
])('%s', (_what, source, found) => {
  expect(legalComments(source)).toEqual(found);
});
