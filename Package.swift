// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target: language mode 6, explicit imports, no hidden existentials, and no warning survives a build.
let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// Pure modules (no libc, no C, no clock) also forbid every unsafe construct: what they touch are values.
let pure: [SwiftSetting] = common + [.strictMemorySafety()]

/// The engine's tests are hours of simulated life: a hundred seconds of two cores without the optimiser. Checks stay on.
let simulated: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

func door(_ name: String, pkgConfig: String? = nil, apt: String? = nil) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: apt.map { [.apt([$0])] })
}

func pureModule(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    let isSimulated = ["WANEngine", "WANModel"].contains(name)
    return .target(name: name, dependencies: dependencies, swiftSettings: pure + (isSimulated ? simulated : []))
}

func shellModule(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: common)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: common)
}

let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "wanctl",
    products: [
        .executable(name: "wanctld", targets: ["wanctld"]),
        .executable(name: "wanctl", targets: ["wanctl"]),
        .executable(name: "wanctl-courier", targets: ["wanctl-courier"]),
        .executable(name: "wanctl-recorder", targets: ["wanctl-recorder"]),
        .executable(name: "wanctl-lab", targets: ["wanctl-lab"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // Somebody else's C, each imported by one Swift module.
        door("CMnl", pkgConfig: "libmnl", apt: "libmnl-dev"),
        door("CNftables", pkgConfig: "libnftables", apt: "libnftables-dev"),
        door("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        door("CYaml", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        door("CJansson", pkgConfig: "jansson", apt: "libjansson-dev"),
        door("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        door("CLinux"),

        // Pure: values in, values out.
        pureModule("NetworkTypes"),
        pureModule("PacketWire", ["NetworkTypes"]),
        pureModule("WANModel", ["NetworkTypes"]),
        pureModule("WANEngine", ["WANModel", "NetworkTypes"]),
        pureModule("WANDataplane", ["WANModel", "NetworkTypes"]),

        // Shell: everything that touches the world.
        shellModule("LinuxIO", ["CLinux"]),
        shellModule("JSONText", ["CJansson"]),
        shellModule("Netlink", ["CMnl", "LinuxIO", "PacketWire", "NetworkTypes"]),
        shellModule("Nftables", ["CNftables"]),
        shellModule("HTTPTransfer", ["CCurl"]),
        shellModule("SQLite", ["CSQLite"]),
        shellModule("Soracom", ["HTTPTransfer", "JSONText", "LinuxIO"]),
        shellModule("WANProbes", ["WANModel", "NetworkTypes", "PacketWire", "LinuxIO"]),
        shellModule("WANPolicy", ["WANModel", "NetworkTypes", "LinuxIO", "CYaml"]),
        shellModule("WANControl", ["WANModel", "NetworkTypes", "JSONText", "LinuxIO"]),
        shellModule("WANRecorder", ["SQLite", "WANControl", "JSONText", "LinuxIO"]),
        shellModule("ControlText", ["WANControl", "WANModel", "LinuxIO"]),
        shellModule(
            "WANDaemon",
            [
                "WANModel", "NetworkTypes", "PacketWire", "WANEngine", "WANDataplane", "LinuxIO", "JSONText", "Netlink",
                "Nftables", "WANProbes", "WANPolicy", "WANControl",
            ]),
        shellModule(
            "WANLab",
            [
                "NetworkTypes", "PacketWire", "LinuxIO", "JSONText", "Netlink", "WANPolicy", "WANProbes", "WANModel",
                "WANControl",
            ],
            resources: [.embedInCode("Resources/soracom-api.json")]),

        .executableTarget(name: "wanctld", dependencies: ["WANDaemon"], swiftSettings: common),
        .executableTarget(
            name: "wanctl",
            dependencies: [
                "WANControl", "ControlText", "WANPolicy", "WANModel", "NetworkTypes", "JSONText", "LinuxIO", arguments,
            ],
            swiftSettings: common),
        .executableTarget(
            name: "wanctl-courier", dependencies: ["Soracom", "HTTPTransfer", "LinuxIO", "WANControl", "WANModel"],
            swiftSettings: common),
        .executableTarget(
            name: "wanctl-recorder", dependencies: ["WANRecorder", "LinuxIO"], swiftSettings: common),
        .executableTarget(
            name: "wanctl-lab", dependencies: ["WANLab", "JSONText", "LinuxIO", arguments], swiftSettings: common),

        // Tests. `SystemTests` runs the real programs in namespaces; `TestSupport` is what several of them share.
        .target(
            name: "TestSupport", dependencies: ["LinuxIO", "NetworkTypes", "WANDataplane"], path: "Tests/TestSupport",
            swiftSettings: common),
        tests("NetworkTypesTests", ["NetworkTypes"]),
        tests("PacketWireTests", ["PacketWire", "NetworkTypes"]),
        tests("LinuxIOTests", ["LinuxIO", "TestSupport"]),
        tests(
            "WANRecorderTests",
            [
                "WANRecorder", "SQLite", "WANDaemon", "WANControl", "WANModel", "WANEngine", "JSONText", "LinuxIO",
                "TestSupport",
            ]),
        tests("JSONTextTests", ["JSONText"]),
        tests("NetlinkTests", ["Netlink", "PacketWire", "NetworkTypes", "LinuxIO", "TestSupport"]),
        tests("NftablesTests", ["Nftables", "LinuxIO", "TestSupport"]),
        tests("WANModelTests", ["WANModel", "NetworkTypes"]),
        tests("WANPolicyTests", ["WANPolicy", "WANModel", "NetworkTypes", "LinuxIO", "TestSupport"]),
        .testTarget(
            name: "WANEngineTests", dependencies: ["WANEngine", "WANModel", "NetworkTypes"],
            swiftSettings: common + simulated),
        tests("WANDataplaneTests", ["WANDataplane", "WANModel", "NetworkTypes", "TestSupport"]),
        tests(
            "RulesetTests",
            [
                "WANDaemon", "WANDataplane", "WANModel", "NetworkTypes", "Nftables", "Netlink", "PacketWire", "LinuxIO",
                "TestSupport",
            ]),
        tests("WANProbesTests", ["WANProbes", "WANModel", "NetworkTypes", "PacketWire", "LinuxIO", "TestSupport"]),
        tests(
            "SoracomTests",
            ["Soracom", "HTTPTransfer", "JSONText", "LinuxIO", "WANControl", "WANModel", "WANLab", "TestSupport"]),
        tests(
            "WANLabTests",
            ["WANLab", "WANPolicy", "WANModel", "HTTPTransfer", "NetworkTypes", "LinuxIO", "JSONText", "TestSupport"]),
        tests(
            "WANControlTests",
            [
                "WANControl", "ControlText", "WANModel", "WANPolicy", "WANDaemon", "WANLab", "NetworkTypes", "JSONText",
                "LinuxIO", "TestSupport",
            ]),
        tests(
            "WANDaemonTests",
            [
                "WANDaemon", "WANDataplane", "WANEngine", "WANModel", "NetworkTypes", "PacketWire", "JSONText",
                "LinuxIO", "WANControl", "WANPolicy", "TestSupport",
            ]),
        tests(
            "SystemTests",
            ["WANLab", "WANControl", "WANModel", "NetworkTypes", "JSONText", "LinuxIO", "TestSupport"]),
    ]
)

// `make fuzz`: libFuzzer brings its own main, so these exist only when asked for.
if Context.environment["FUZZ"] != nil {
    package.targets += [
        .executableTarget(
            name: "fuzz-parsers",
            dependencies: [
                "PacketWire", "WANPolicy", "WANControl", "ControlText", "JSONText", "Soracom", "HTTPTransfer",
                "NetworkTypes", "WANModel", "WANDaemon", "WANEngine", "WANDataplane", "TestSupport",
            ],
            path: "Tests/Fuzz", exclude: ["corpus", "run"], swiftSettings: common)
    ]
}
