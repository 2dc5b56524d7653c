/**
 * A body whose chunks are made as fast as they are read: one is asked for when the one before was taken. A chunk that fails
 * breaks the body off, which the reader sees as an answer that is not complete. When the reader goes away, the generator is
 * returned from, after the chunk that it is making.
 */
export function streamOf(chunks: AsyncGenerator<Uint8Array, void>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      // Not awaited: who goes away does not wait for a chunk that is being made.
      cancel: () => void chunks.return(),
    },
    { highWaterMark: 0 },
  );
}
