import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideEnd, decideRun, type Ending, type PodAction, type PodInput } from './decide-pod.ts';
import { aContainer, aMemory, anInput, aPod, aRuntime, exited, NOW, SANDBOX } from './pod-fixtures.ts';
import type { Container } from './pod-types.ts';

const short = (action: PodAction): string => {
  switch (action.do) {
    case 'startContainer':
      return `start ${action.container.name}#${action.attempt}`;
    case 'stopContainer':
      return `stop ${action.id} in ${action.graceSeconds}s`;
    case 'createSandbox':
      return `sandbox#${action.attempt}`;
    case 'cleanUp':
      return action.andObject ? 'cleanUp and object' : 'cleanUp';
    case 'prepareVolumes':
      return 'volumes';
    default:
      return `${action.do} ${action.id}`;
  }
};
const run = (input: Partial<PodInput>): string[] => decideRun(anInput(input)).actions.map(short);

const init = (name: string, more: Partial<Container> = {}): Container => ({ name, image: 'app:1', ...more });
const withInits = (...inits: Container[]) => aPod({ initContainers: inits });

describe('decideRun', () => {
  it.each<[string, Partial<PodInput>, string[]]>([
    ['makes volumes first', { memory: aMemory({ volumesReady: false }), runtime: aRuntime([], 'none') }, ['volumes']],
    ['then a sandbox', { runtime: aRuntime([], 'none') }, ['sandbox#0']],
    ['then starts the containers', {}, ['start main#0']],
    ['leaves a running container alone', { runtime: aRuntime([aContainer()]) }, []],
    ['restarts what ended', { runtime: aRuntime([exited()]) }, ['start main#1']],
    ['makes a new sandbox for a broken one', { runtime: aRuntime([exited()], 'broken') }, ['sandbox#1']],
    [
      'stops a broken sandbox in which something lives',
      { runtime: aRuntime([aContainer()], 'broken') },
      [`stopSandbox ${SANDBOX}`],
    ],
    [
      'counts attempts on from what is gone from the runtime',
      {
        pod: {
          ...aPod(),
          status: {
            containerStatuses: [
              { name: 'main', restartCount: 4, containerID: 'containerd://x', ready: true, image: '', imageID: '' },
            ],
          },
        },
      },
      ['start main#5'],
    ],
    [
      'replaces a container that was created and never started',
      { runtime: aRuntime([aContainer({ state: 'created', attempt: 2 })]) },
      ['removeContainer main-2', 'start main#2'],
    ],
    [
      'stops a container whose image has changed',
      { pod: aPod({ containers: [{ name: 'main', image: 'app:2' }] }), runtime: aRuntime([aContainer()]) },
      ['stop main-0 in 30s'],
    ],
    [
      'does not stop twice',
      {
        pod: aPod({ containers: [{ name: 'main', image: 'app:2' }] }),
        runtime: aRuntime([aContainer()]),
        memory: aMemory({ stopping: new Map([['main-0', NOW]]) }),
      },
      [],
    ],
    [
      'does not restart what succeeded OnFailure',
      { pod: aPod({ restartPolicy: 'OnFailure' }), runtime: aRuntime([exited()]) },
      [],
    ],
    [
      'restarts what failed OnFailure',
      { pod: aPod({ restartPolicy: 'OnFailure' }), runtime: aRuntime([exited({ exitCode: 1 })]) },
      ['start main#1'],
    ],
    [
      'restarts nothing under Never',
      { pod: aPod({ restartPolicy: 'Never' }), runtime: aRuntime([exited({ exitCode: 1 })]) },
      [],
    ],
    ['runs the first init container alone', { pod: withInits(init('a'), init('b')) }, ['start a#0']],
    [
      'waits for a running init container',
      { pod: withInits(init('a'), init('b')), runtime: aRuntime([aContainer({ name: 'a' })]) },
      [],
    ],
    [
      'goes on to the next one when it has succeeded',
      { pod: withInits(init('a'), init('b')), runtime: aRuntime([exited({ name: 'a' })]) },
      ['start b#0'],
    ],
    [
      'runs a failed init container again',
      { pod: withInits(init('a')), runtime: aRuntime([exited({ name: 'a', exitCode: 1 })]) },
      ['start a#1'],
    ],
    [
      'starts the main containers after all init containers',
      { pod: withInits(init('a')), runtime: aRuntime([exited({ name: 'a' })]) },
      ['start main#0'],
    ],
    [
      'goes on past a sidecar that has started',
      { pod: withInits(init('s', { restartPolicy: 'Always' })), runtime: aRuntime([aContainer({ name: 's' })]) },
      ['start main#0'],
    ],
    [
      'restarts a sidecar beside the main containers',
      {
        pod: withInits(init('s', { restartPolicy: 'Always' })),
        runtime: aRuntime([exited({ name: 's' }), aContainer()]),
      },
      ['start s#1'],
    ],
    [
      'runs init containers again in a new sandbox',
      { pod: withInits(init('a')), runtime: aRuntime([exited({ name: 'a', sandboxId: 'older' })]) },
      ['start a#1'],
    ],
    [
      'keeps two dead containers of a name',
      { runtime: aRuntime([exited({ attempt: 0 }), exited({ attempt: 1 }), aContainer({ attempt: 2 })]) },
      ['removeContainer main-0'],
    ],
    [
      'restarts what fails its liveness probe',
      {
        runtime: aRuntime([aContainer()]),
        memory: aMemory({ probes: () => ({ started: true, ready: true, failed: 'liveness' }) }),
      },
      ['stop main-0 in 30s'],
    ],
  ])('%s', (_, input, expected) => {
    expect(run(input)).toEqual(expected);
  });

  it('waits for the back-off to end and says when', () => {
    const memory = aMemory({ retryAt: (_, endedMs) => endedMs + 10_000 });
    const decision = decideRun(anInput({ runtime: aRuntime([exited()]), memory }));
    expect(decision).toEqual({ actions: [], lookAtMs: NOW + 9_000 });
  });

  it('waits before it tries a start again that failed', () => {
    const startFailures = new Map([['main', { reason: 'ErrImagePull', message: '', retryAtMs: NOW + 500 }]]);
    expect(decideRun(anInput({ memory: aMemory({ startFailures }) }))).toEqual({ actions: [], lookAtMs: NOW + 500 });
  });

  it('never starts a container beside one of its name that lives, whatever is there', () => {
    const states = fc.constantFrom('running', 'exited', 'created', 'unknown');
    const facts = fc.record({
      name: fc.constantFrom('main', 'a', 's'),
      state: states,
      exitCode: fc.nat(2),
      attempt: fc.nat(3),
    });
    const pod = aPod({ initContainers: [init('a'), init('s', { restartPolicy: 'Always' })] });
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 6 }), (list) => {
        const containers = list.map((one) => aContainer({ ...one, state: one.state as 'running' }));
        const { actions } = decideRun(anInput({ pod, runtime: aRuntime(containers) }));
        for (const action of actions) {
          if (action.do !== 'startContainer') continue;
          const newest = aRuntime(containers).containers.find(({ name }) => name === action.container.name);
          expect(['running', 'unknown']).not.toContain(newest?.state);
        }
      }),
    );
  });
});

describe('decideEnd', () => {
  const ending: Ending = { graceSeconds: 5, removeObject: true, message: (name) => `Stopping container ${name}` };
  const end = (input: Partial<PodInput>, how: Partial<Ending> = {}): string[] =>
    decideEnd(anInput(input), { ...ending, ...how }).actions.map(short);

  it.each<[string, Partial<PodInput>, string[]]>([
    ['stops what lives', { runtime: aRuntime([aContainer()]) }, ['stop main-0 in 5s']],
    [
      'waits for it',
      { runtime: aRuntime([aContainer()]), memory: aMemory({ stopping: new Map([['main-0', NOW + 5_000]]) }) },
      [],
    ],
    [
      'stops it sooner when there is less time',
      { runtime: aRuntime([aContainer()]), memory: aMemory({ stopping: new Map([['main-0', NOW + 30_000]]) }) },
      ['stop main-0 in 5s'],
    ],
    ['then stops the sandbox', { runtime: aRuntime([exited()]) }, [`stopSandbox ${SANDBOX}`]],
    ['then removes it', { runtime: aRuntime([exited()], 'broken') }, [`removeSandbox ${SANDBOX}`]],
    ['then everything else', { runtime: aRuntime([], 'none') }, ['cleanUp and object']],
  ])('%s', (_, input, expected) => {
    expect(end(input)).toEqual(expected);
  });

  it('stops sidecars after the main containers, the last one first', () => {
    const pod = withInits(init('s1', { restartPolicy: 'Always' }), init('s2', { restartPolicy: 'Always' }));
    const sidecars = [aContainer({ name: 's1' }), aContainer({ name: 's2' })];
    expect(end({ pod, runtime: aRuntime([...sidecars, aContainer()]) })).toEqual(['stop main-0 in 5s']);
    expect(end({ pod, runtime: aRuntime([...sidecars, exited()]) })).toEqual(['stop s2-0 in 5s']);
  });

  it('keeps the containers of a finished pod, for their logs', () => {
    expect(end({ runtime: aRuntime([exited()], 'broken') }, { removeObject: false })).toEqual(['cleanUp']);
    const memory = aMemory({ cleanedUp: true });
    expect(end({ runtime: aRuntime([exited()], 'broken'), memory }, { removeObject: false })).toEqual([]);
  });
});
