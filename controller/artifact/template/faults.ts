/**
 * What can be wrong with a template. A template and its values are secret, and these texts are published in status and Events: so they are
 * fixed, and errors are made from their names only. No error can quote a piece of the template.
 */
import { MAX_BYTES, MAX_DEPTH, MAX_MS, MAX_NUMBER_LENGTH, MAX_STEPS, MAX_TOKENS, MAX_VARIABLES } from './limits.js';

export const FAULTS = {
  /* limits */
  tooManySteps: `the template does more than ${MAX_STEPS} steps`,
  tooLong: `the template takes longer than ${MAX_MS / 1000} s`,
  tooManyBytes: `the template renders more than ${MAX_BYTES} bytes`,
  tooLargeValue: `a function returns more than ${MAX_BYTES} bytes`,
  tooManyTokens: `the template has more than ${MAX_TOKENS} words and signs in its actions`,
  tooManyVariables: `the template has more than ${MAX_VARIABLES} variables`,
  tooManyDigits: `a number has more than ${MAX_NUMBER_LENGTH} digits`,
  tooManyLevels: `more than ${MAX_DEPTH} levels of if, with and range`,
  tooManyParentheses: `more than ${MAX_DEPTH} nested parentheses`,
  /* words and signs */
  unclosedParenthesis: 'unclosed left paren',
  unopenedParenthesis: 'unexpected right paren',
  unclosedComment: 'unclosed comment',
  commentNotAlone: 'comment ends before closing delimiter',
  unclosedAction: 'unclosed action',
  unclosedString: 'unterminated quoted string',
  unclosedCharacter: 'unterminated character constant',
  unclosedRawString: 'unterminated raw quoted string',
  badColon: 'expected :=',
  badCharacterInAction: 'unrecognized character in action',
  badCharacterInWord: 'bad character after a word',
  badNumber: 'bad number syntax',
  complexNumber: 'complex numbers are not supported',
  integerOverflow: 'a number does not fit into 64 bits',
  tooPreciseNumber: 'a hexadecimal number has too many digits',
  badEscape: 'bad escape in a quoted text',
  badCharacter: 'malformed character constant',
  /* structure */
  notAllowed: '"define", "template" and "block" are not allowed here',
  unexpectedEnd: 'unexpected {{end}}',
  unexpectedElse: 'unexpected {{else}}',
  secondElse: 'unexpected {{else}}: expected {{end}}',
  otherElse: 'unexpected word after {{else}}',
  jumpOutsideRange: '{{break}} or {{continue}} outside {{range}}',
  unclosedControl: '{{if}}, {{with}} or {{range}} without {{end}}',
  unexpectedToken: 'unexpected word or sign',
  unexpectedEndOfTemplate: 'unexpected end of template',
  notCallable: 'non executable command in pipeline',
  missingValue: 'missing value',
  tooManyDeclarations: 'too many declarations',
  badRangeDeclaration: 'range can only initialize variables',
  fieldOfConstant: 'unexpected . after a value without fields',
  undefinedVariable: 'undefined variable',
  undefinedFunction: 'function not defined',
  /* evaluation */
  argumentOfValue: "can't give an argument to what is not a function",
  nilCommand: 'nil is not a command',
  badField: "can't evaluate a field of a value that is not a map",
  wrongArgumentCount: 'wrong number of arguments of a function',
  wrongArgumentType: 'wrong type of an argument of a function',
  notAFunction: 'a value that is not a function is called',
  indexOutOfRange: 'index out of range',
  indexOfNil: 'index of untyped nil',
  badRange: "range can't iterate over a value of this type",
  badRangeVariables: "can't use a number to iterate over more than one variable",
  incomparable: 'incompatible types for comparison',
  missingComparand: 'missing argument for comparison',
  pointerVerb: '%p is not supported',
  floatVerb: 'this verb of a floating-point number is not supported',
} as const;

export type Fault = keyof typeof FAULTS;
