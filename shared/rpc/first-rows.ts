/** Of a result that comes in: so many rows are told with the first news of it, and of each cell so many characters. */
export const firstRows = { count: 200, cell: 1_000 } as const
