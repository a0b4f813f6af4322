import { type ClusterRole, clusterRole } from '@periplus/api';
import { expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { clusterRoleAggregationController } from './cluster-role-aggregation-controller.ts';

const ruleOn = (...resources: string[]) => ({ verbs: ['get'], apiGroups: [''], resources });
const put = (sim: Simulation, name: string, more: Partial<ClusterRole>, labels: Record<string, string> = {}) =>
  sim.cluster.put(clusterRole, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, labels },
    ...more,
  });
const selecting = (label: string) => ({
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] },
});
const rulesOf = (sim: Simulation, name: string) => sim.cluster.view().get(clusterRole, '', name)?.rules;

it('gathers the rules of the roles that are selected, each once, and follows them', () => {
  const sim = new Simulation(clusterRoleAggregationController);
  put(sim, 'b', { rules: [ruleOn('secrets'), ruleOn('pods')] }, { 'to-view': 'true' });
  put(sim, 'a', { rules: [ruleOn('pods')] }, { 'to-view': 'true' });
  put(sim, 'other', { rules: [ruleOn('nodes')] });
  put(sim, 'view', { rules: [ruleOn('stale')], ...selecting('to-view') });
  sim.settle();
  expect(rulesOf(sim, 'view')).toEqual([ruleOn('pods'), ruleOn('secrets')]);
  sim.cluster.remove(clusterRole, '', 'b');
  sim.settle();
  expect(rulesOf(sim, 'view')).toEqual([ruleOn('pods')]);
});

it('gathers through roles that gather, in a circle too', () => {
  const sim = new Simulation(clusterRoleAggregationController);
  put(sim, 'leaf', { rules: [ruleOn('pods')] }, { 'to-view': 'true' });
  put(sim, 'view', selecting('to-view'), { 'to-edit': 'true' });
  put(sim, 'edit', selecting('to-edit'), { 'to-view': 'true', 'to-admin': 'true' });
  put(sim, 'admin', selecting('to-admin'));
  sim.settle();
  for (const name of ['view', 'edit', 'admin']) expect(rulesOf(sim, name), name).toEqual([ruleOn('pods')]);
});

it('wakes every role that gathers, whichever role changes', () => {
  const sim = new Simulation();
  put(sim, 'view', selecting('to-view'));
  put(sim, 'plain', {});
  const [rule] = clusterRoleAggregationController.watches;
  expect(rule!.keys(null, null, sim.cluster.view())).toEqual([{ namespace: '', name: 'view' }]);
});
