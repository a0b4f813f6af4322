/**
 * Expressions of the Common Expression Language, with the functions that Kubernetes adds. `compile` checks an expression
 * against an environment and says what it costs at most, so that who takes expressions from others can refuse those that
 * would take long; `environment.ts` has what all of Kubernetes' environments have, one file per group of functions.
 * https://kubernetes.io/docs/reference/using-api/cel/
 */
export { type CompiledExpression, CompileError, compile, EvaluationError } from './compile.ts';
export type { Extent } from './cost.ts';
export { type Environment, kubernetesEnvironment } from './environment.ts';
export { parseSemver } from './semver.ts';
