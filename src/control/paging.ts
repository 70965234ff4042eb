/** What verbs that list take and give: a page of the records that match. */

export interface Page {
  readonly PageNumber?: number;
  readonly PageSize?: number;
}

export interface PageResult {
  readonly TotalCount: number;
  readonly PageNumber: number;
  readonly PageSize: number;
}
