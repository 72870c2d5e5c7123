internal import ArgumentParser
internal import Glibc
internal import LinuxIO
internal import WANLab

/// `wanctl-lab up`: builds a lab and stays until it is told to go.
struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Build a lab and keep it until Ctrl-C, SIGTERM or `wanctl-lab down`.")

    @Option(name: .long, help: "The lab's name, part of its namespaces' names.")
    var id = "home"

    @Option(name: .long, help: "Seed of everything random on the lines.")
    var seed: UInt64 = 1

    @Flag(name: .long, help: "Lines that add no delay and no jitter.")
    var perfect = false

    @Flag(name: .long, help: "Stay in the background; return when the lab stands.")
    var detach = false

    func run() throws {
        let signals = try SignalReader([SIGINT, SIGTERM, SIGHUP])  // before any thread is started
        if detach {
            let more = ["--seed", "\(seed)"] + (perfect ? ["--perfect"] : [])
            try LabInBackground.start(id, arguments: more) { signals.next() != nil }
            return print(Self.welcome(id))
        }
        SignalReader.ignoreFailedWrites()
        var options = perfect ? LabOptions.perfect : LabOptions()
        options.id = id
        options.seed = seed
        let lab = try Lab.build(options)
        try Files.replace("\(lab.directory)/policy.yaml", with: Array(SamplePolicy.text.utf8))
        let loop = try EventLoop()
        _ = try loop.watch(signals.descriptor.raw) { _ in loop.stop() }
        let control = try LabControlServer(lab, on: loop) { loop.stop() }
        print(Self.welcome(id))
        fflush(nil)
        try withExtendedLifetime(control) { try loop.run() }
        try lab.tearDown()
    }

    static func welcome(_ id: String) -> String {
        let router = LabPlace.router.namespace(of: id)
        let directory = "/run/wanctl-lab/\(id)"
        return """
            The lab "\(id)" stands.

              ip netns exec \(router) bash                  # the router: ppp0, wlan0, ppp1, eth0
              ip netns exec \(LabPlace.lan.namespace(of: id)) ping 8.8.8.8       # a client of the LAN
              ip netns exec \(LabPlace.inet.namespace(of: id)) nft list ruleset   # the internet, and what it refused

            The daemon in it, with a policy to play with (\(directory)/policy.yaml):

              \(siblingProgram("wanctl-recorder")) --listen \(directory)/recorder.sock --directory \(directory)/state &
              ip netns exec \(router) \(siblingProgram("wanctld")) --policy \(directory)/policy.yaml \\
                --socket \(directory)/wanctl.sock --state-dir \(directory)/state
              \(siblingProgram("wanctl")) --socket \(directory)/wanctl.sock status

            What can go wrong, from another terminal:

              wanctl-lab fault ftth blackhole      wanctl-lab fault ftth clear
              wanctl-lab target 8.8.8.8 dead       wanctl-lab probe --seconds 10
              wanctl-lab status                    wanctl-lab down
            """
    }
}
