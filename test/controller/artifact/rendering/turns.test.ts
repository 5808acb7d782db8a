import { describe, expect, test } from '@jest/globals';
import { RenderTurns } from '../../../../controller/artifact/rendering/turns.js';

describe('turns to render', () => {
  test('go to one object at a time, and to the namespaces alternately', () => {
    const order: string[] = [];
    const turns = new RenderTurns(key => order.push(key));
    const take = (key: string) => turns.take(key, key.split('/')[0] ?? '');
    expect(take('many/0')).toBe(true);
    for (let i = 1; i < 5; i += 1) expect(take(`many/${i}`)).toBe(false);
    expect([take('few/0'), take('other/0'), take('many/1')]).toEqual([false, false, false]);
    for (let i = 0; i < 6; i += 1) turns.end(order.at(-1) ?? 'many/0');
    expect(order).toEqual(['many/1', 'few/0', 'other/0', 'many/2', 'many/3', 'many/4']);
  });

  test('are kept until they end', () => {
    const turns = new RenderTurns(() => undefined);
    expect([turns.take('a/1', 'a'), turns.take('a/1', 'a'), turns.take('b/1', 'b')]).toEqual([true, true, false]);
    turns.end('b/1');
    expect(turns.take('b/1', 'b')).toBe(false);
    turns.end('a/1');
    expect([turns.take('a/1', 'a'), turns.take('b/1', 'b')]).toEqual([false, true]);
  });

  test('pass from an object that does not render any more to the next one', () => {
    const order: string[] = [];
    const turns = new RenderTurns(key => order.push(key));
    turns.take('a/1', 'a');
    turns.take('a/2', 'a');
    turns.take('b/1', 'b');
    turns.end('a/1');
    turns.end('a/2');
    expect(order).toEqual(['a/2', 'b/1']);
    turns.end('b/1');
    expect(turns.take('c/1', 'c')).toBe(true);
  });
});
