internal import Glibc
internal import WANDaemon

@main
enum Main {
    static func main() {
        exit(runDaemon(arguments: Array(CommandLine.arguments.dropFirst())))
    }
}
