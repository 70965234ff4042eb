/**
 * Parts of a plane as one call sees them: another object's methods, some of them replaced.
 *
 * A copy of the methods would not do: classes with private fields want to be called on themselves.
 */

/** @param replaced methods to call in place of the target's own */
export function overlay<T extends object>(target: T, replaced: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      if (Object.hasOwn(replaced, name)) return replaced[name as keyof T];
      const own: unknown = Reflect.get(target, name, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
