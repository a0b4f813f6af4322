import { everythingOf, flowSchema, priorityLevelConfiguration } from '@periplus/api';
import { expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { flowSchemaController } from './flow-schema-controller.ts';

const VERSION = 'flowcontrol.apiserver.k8s.io/v1';
const start = () => {
  const sim = new Simulation(flowSchemaController);
  sim.cluster.put(flowSchema, {
    ...{ apiVersion: VERSION, kind: 'FlowSchema', metadata: { name: 'mine' } },
    spec: {
      priorityLevelConfiguration: { name: 'level' },
      rules: [{ ...everythingOf(), subjects: [{ kind: 'User', user: { name: 'me' } }] }],
    },
  });
  sim.settle();
  return sim;
};
const addLevel = (sim: Simulation) =>
  sim.cluster.put(priorityLevelConfiguration, {
    ...{ apiVersion: VERSION, kind: 'PriorityLevelConfiguration', metadata: { name: 'level' } },
    spec: { type: 'Exempt' },
  });
const conditions = (sim: Simulation) => sim.cluster.view().get(flowSchema, '', 'mine')?.status?.conditions;

it('says of a schema whether its level is there, and follows it', () => {
  const sim = start();
  const asked = 'This FlowSchema references the PriorityLevelConfiguration object named "level"';
  expect(conditions(sim)).toMatchObject([
    { type: 'Dangling', status: 'True', reason: 'NotFound', message: `${asked} but there is no such object` },
  ]);
  addLevel(sim);
  sim.settle();
  expect(conditions(sim)).toMatchObject([
    { type: 'Dangling', status: 'False', reason: 'Found', message: `${asked} and it exists` },
  ]);
  sim.cluster.remove(priorityLevelConfiguration, '', 'level');
  sim.settle();
  expect(conditions(sim)).toMatchObject([{ status: 'True' }]);
});

it('writes nothing while nothing changes, whatever becomes of the level', () => {
  const sim = start();
  addLevel(sim);
  sim.settle();
  const before = sim.cluster.view().get(flowSchema, '', 'mine');
  addLevel(sim);
  sim.settle();
  expect(sim.cluster.view().get(flowSchema, '', 'mine')).toBe(before);
});
