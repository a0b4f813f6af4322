/**
 * Replaces `$(NAME)` by the variable's value. Unknown names stay as they are written, `$$` is a dollar sign.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, _next: string, name: string | undefined) =>
    name === undefined ? '$' : (variables.get(name) ?? whole),
  );
}
