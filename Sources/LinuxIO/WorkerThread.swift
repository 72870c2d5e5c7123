internal import Glibc

/// A thread of its own for work that blocks (pthreads(7)); whoever started it waits for its end.
package final class WorkerThread: @unchecked Sendable {  // `thread` is written before anybody else can see it
    private let thread: pthread_t

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    package init(_ body: @escaping @Sendable () -> Void) throws(SystemCallError) {
        var made = pthread_t()
        let context = Unmanaged.passRetained(Body(body))
        let error = pthread_create(
            &made, nil,
            { context in
                if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, context.toOpaque())
        guard error == 0 else {
            context.release()
            throw SystemCallError(call: "pthread_create(3)", errno: error)
        }
        thread = made
    }

    /// Waits for the body to return. Once.
    package func join() { pthread_join(thread, nil) }
}
