/** Requests that failed while the job went on: continue_on_error. */

export class FailureCount {
  count = 0;
  /** As the target rejected it; null: none failed. */
  first: unknown = null;

  add(error: unknown, count = 1): void {
    this.count += count;
    this.first ??= error;
  }
}
