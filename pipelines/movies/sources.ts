/** The two systems that a streaming service has: a catalogue of films as a file, and what users did behind an API. */
export const sources = {
  movies: {
    from: 'catalogue:/movies.csv',
    read: 'csv',
    key: ['movieId'],
    columns: { movieId: 'key', title: 'text', genres: 'text' },
  },
  ratings: {
    from: 'user-data-api:/v1/ratings',
    read: 'json-pages',
    key: ['userId', 'movieId'],
    time: 'ratedAt',
    columns: { userId: 'key', movieId: 'key', rating: 'number', ratedAt: 'time' },
  },
} as const;

export const contract = [
  { check: 'range', of: 'ratings.rating', min: 0.5, max: 5 },
  { check: 'references', of: 'ratings.movieId', to: 'movies.movieId' },
  { check: 'row-count', of: 'ratings', min: 1000 },
  { check: 'not-null', of: 'movies.title' },
] as const;

/** The two joined: a rating of a film that the catalogue knows. */
export const rows = {
  sql: 'SELECT userId, movieId, rating, ratedAt FROM ratings SEMI JOIN movies USING (movieId)',
  key: ['userId', 'movieId'],
  time: 'ratedAt',
} as const;

export const target = {
  user: 'userId',
  item: 'movieId',
  value: 'rating',
  relevantFrom: 4,
  describe: { source: 'movies', title: 'title', categories: 'genres' },
} as const;

/** The last five films of each viewer are the exam, the five before choose among the candidates. */
export const split = { by: 'last-per', column: 'userId', validation: 5, test: 5 } as const;
