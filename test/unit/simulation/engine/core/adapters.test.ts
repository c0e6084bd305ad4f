import { Adapters } from '../../../../../src/simulation/engine/core/adapters';

const nobody = new Set<string>();

describe('Adapters', () => {
  it('stay loaded until others need the room, the least recently used going first', () => {
    const adapters = new Adapters(2);
    const loads = ['red', 'blue', 'red', 'green', 'red', 'blue'].map((name) => adapters.use(name, nobody));
    expect(loads).toEqual([true, true, false, true, false, true]);
  });

  it('are not unloaded while the batch needs them', () => {
    const adapters = new Adapters(2);
    adapters.use('red', nobody);
    adapters.use('blue', nobody);
    adapters.use('green', new Set(['red', 'green']));
    expect(adapters.use('red', nobody)).toBe(false);
    expect(adapters.use('blue', nobody)).toBe(true);
  });

  it('have to be loaded again when they come back', () => {
    const adapters = new Adapters(2);
    adapters.register('red', '/red');
    adapters.use('red', nobody);
    expect(adapters.unregister('red')).toBe(true);
    expect(adapters.unregister('red')).toBe(false);
    adapters.register('red', '/red');
    expect(adapters.use('red', nobody)).toBe(true);
  });

  it('fit into a batch that has them, or room for one more', () => {
    const adapters = new Adapters(2);
    expect(adapters.fits('red', new Set(['red', 'blue']))).toBe(true);
    expect(adapters.fits('green', new Set(['red', 'blue']))).toBe(false);
    expect(adapters.fits('green', new Set(['red']))).toBe(true);
  });
});
