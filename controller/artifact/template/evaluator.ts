/** Evaluates pipelines, commands and operands. */
import type { Budget } from './budget.js';
import { UnlocatedError, positionOf, TemplateError } from './errors.js';
import { callFunction, cost } from './functions.js';
import { ARITY } from './arity.js';
import type { Fault } from './faults.js';
import { MAX_BYTES, RESULT_FACTOR } from './limits.js';
import type { Command, Operand, Pipeline } from './syntax.js';
import { isTrue, NIL, string, type Value } from './value.js';

interface Variable {
  name: string;
  value: Value;
}

/** The last argument of a command: the result of the command before it, if there is one. */
type Final = Value | undefined;

export class Evaluator {
  readonly budget: Budget;
  readonly #text: string;
  /** Those of the innermost block are last. */
  readonly #variables: Variable[];

  constructor(text: string, data: Value, budget: Budget) {
    this.budget = budget;
    this.#text = text;
    this.#variables = [{ name: '$', value: data }];
  }

  /** Runs `work`, and adds a position to its error. */
  locate<T>(at: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof UnlocatedError) throw new TemplateError(error.fault, positionOf(this.#text, at));
      throw error;
    }
  }

  variableCount = (): number => this.#variables.length;
  dropVariables = (count: number): void => void (this.#variables.length = count);

  set(name: string, value: Value): void {
    const variable = this.#variables.findLast(each => each.name === name);
    if (!variable) throw new UnlocatedError('undefinedVariable');
    variable.value = value;
  }

  /** The last variable has the position 1. */
  setLast(nth: number, value: Value): void {
    const variable = this.#variables.at(-nth);
    if (variable) variable.value = value;
  }

  pipeline(dot: Value, { at, commands, variables, assigns }: Pipeline): Value {
    let value: Final;
    for (const command of commands) value = this.#command(dot, command, value);
    const result = value ?? NIL;
    for (const name of variables)
      if (assigns) this.locate(at, () => this.set(name, result));
      else this.#variables.push({ name, value: result });
    return result;
  }

  #command(dot: Value, { at, operands }: Command, final: Final): Value {
    const [first, ...args] = operands;
    this.locate(at, () => this.budget.spend());
    if (first.is === 'function') return this.#call(dot, first, args, final);
    const hasArguments = args.length > 0 || final !== undefined;
    if (hasArguments) throw this.#error('argumentOfValue', first.at);
    if (first.is === 'nil') throw this.#error('nilCommand', first.at);
    return this.#operand(dot, first);
  }

  #operand(dot: Value, operand: Operand): Value {
    switch (operand.is) {
      case 'literal':
        return operand.value;
      case 'huge':
        throw this.#error('integerOverflow', operand.at);
      case 'nil':
        return NIL;
      case 'dot':
        return dot;
      case 'field':
        return this.#fields(dot, operand.path, operand.at);
      case 'variable':
        return this.#fields(this.#variable(operand.name, operand.at), operand.path, operand.at);
      case 'function':
        return this.#call(dot, operand, [], undefined);
      case 'pipeline':
        return this.pipeline(dot, operand.pipe);
      default:
        return this.#fields(this.#operand(dot, operand.of), operand.path, operand.at);
    }
  }

  #variable(name: string, at: number): Value {
    this.locate(at, () => this.budget.spend(this.#variables.length));
    const variable = this.#variables.findLast(each => each.name === name);
    if (!variable) throw this.#error('undefinedVariable', at);
    return variable.value;
  }

  /** The field of a missing value is an empty text. */
  #fields(of: Value, path: readonly string[], at: number): Value {
    return path.reduce<Value>((value, name) => {
      if (value.is === 'nil') return NIL;
      if (value.is === 'map') return string(value.value.get(name) ?? '');
      throw this.#error('badField', at);
    }, of);
  }

  #call(dot: Value, { name, at }: { name: string; at: number }, args: readonly Operand[], final: Final): Value {
    const { min, max } = ARITY[name] ?? { min: 0, max: 0 };
    const count = args.length + (final === undefined ? 0 : 1);
    if (count < min || count > max) throw this.#error('wrongArgumentCount', at);
    if (name === 'and' || name === 'or') return this.#firstMatching(dot, name === 'or', args, final);
    const values = [...args.map(arg => this.#operand(dot, arg)), ...(final === undefined ? [] : [final])];
    return this.locate(at, () => {
      this.budget.spend(cost(values));
      const result = callFunction(name, values);
      const bytes = cost([result]);
      if (bytes > MAX_BYTES) throw new UnlocatedError('tooLargeValue');
      this.budget.spend(bytes * RESULT_FACTOR);
      return result;
    });
  }

  /** The first argument that is true (`or`) or not true (`and`), otherwise the last one. Arguments after it are not evaluated. */
  #firstMatching(dot: Value, wanted: boolean, args: readonly Operand[], final: Final): Value {
    let last: Value = NIL;
    for (const arg of args) {
      last = this.#operand(dot, arg);
      if (isTrue(last) === wanted) return last;
    }
    return final ?? last;
  }

  #error = (fault: Fault, at: number): TemplateError => new TemplateError(fault, positionOf(this.#text, at));
}
