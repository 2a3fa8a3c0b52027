//! Which container and which pod a process is in, by the path of its control group. Pure.
//!
//! Runtimes name the control group after the container, and the kubelet the one above it after the pod. A name of
//! either is known to the runtime's and the cluster's interfaces alone, and is not asked for there.

/// What a path of a control group says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container<'a> {
    /// Its id: 64 hexadecimal digits.
    pub id: &'a str,
    /// Who runs it, where the path says so.
    pub runtime: Option<&'static str>,
    /// The uid of its pod, of a Kubernetes cluster.
    pub pod: Option<String>,
}

/// Words in front of an id, or of the name before it.
const RUNTIMES: [(&str, &str); 6] = [
    ("docker", "docker"),
    ("cri-containerd", "containerd"),
    ("containerd", "containerd"),
    ("nerdctl", "containerd"),
    ("crio", "cri-o"),
    ("libpod", "podman"),
];

/// The innermost container of a path; it may begin anywhere, even with the last name alone.
pub fn container(cgroup: &str) -> Option<Container<'_>> {
    let names: Vec<&str> = cgroup.split(['/', ':']).collect();
    let at = names.iter().rposition(|name| id(name).is_some())?;
    let (above, name) = (names.get(..at)?, names.get(at)?);
    let (before, id) = id(name)?;
    let word = match before {
        "" => above.last().copied().unwrap_or_default(),
        before => before,
    };
    let runtime = RUNTIMES.iter().find(|(known, _)| *known == word).map(|(_, runtime)| *runtime);
    Some(Container { id, runtime, pod: pod(above) })
}

/// An id and the word in front of it. What watches over a container from outside is in none.
fn id(name: &str) -> Option<(&str, &str)> {
    let name = name.strip_suffix(".scope").unwrap_or(name);
    let (before, id) = name.rsplit_once('-').unwrap_or(("", name));
    let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && before != "conmon" && !before.ends_with("-conmon")).then_some((before, id))
}

/// The pod among the names above a container: `pod<uid>`, or the last part of a slice.
fn pod(above: &[&str]) -> Option<String> {
    let at = above.iter().rposition(|name| uid(name).is_some())?;
    let is_of_kubelet = above.get(..=at)?.iter().any(|name| name.contains("kubepods"));
    above.get(at).filter(|_| is_of_kubelet).and_then(|name| uid(name))
}

fn uid(name: &str) -> Option<String> {
    let name = match name.strip_suffix(".slice") {
        // systemd's slices have their parents in their names, and no dash of their own.
        Some(slice) => slice.rsplit('-').next().unwrap_or(slice),
        None => name,
    };
    let uid = name.strip_prefix("pod")?.replace('_', "-");
    // A static pod has the digest of its manifest instead.
    let is_digest = uid.len() == 32 && uid.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_digest || is_uuid(&uid)).then_some(uid)
}

/// Whether it is written as a UUID.
pub fn is_uuid(text: &str) -> bool {
    let is_at_its_place = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_at_its_place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "8dbc6d7c-2d6a-4cc1-9b0f-3c1a2b4d5e6f";
    const STATIC: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

    #[test]
    fn containers_and_pods_by_their_control_group() {
        let id = &"0123456789abcdef".repeat(4);
        let outer = "f".repeat(64);
        let slice = POD.replace('-', "_");
        for (cgroup, runtime, pod) in [
            // Docker: systemd and cgroupfs, version 2 and 1; nested; a process in a group of its own inside.
            (format!("/system.slice/docker-{id}.scope"), "docker", ""),
            (format!("/docker/{id}"), "docker", ""),
            (format!("/docker/{outer}/docker/{id}"), "docker", ""),
            (format!("/system.slice/docker-{id}.scope/init.scope"), "docker", ""),
            (format!("/system.slice/docker-{id}.scope/system.slice/ssh.service"), "docker", ""),
            // The last name alone, as BPF has it.
            (format!("docker-{id}.scope"), "docker", ""),
            (format!("cri-containerd-{id}.scope"), "containerd", ""),
            (id.clone(), "", ""),
            // containerd, alone and under the kubelet.
            (format!("/system.slice/nerdctl-{id}.scope"), "containerd", ""),
            (format!("/default/{id}"), "", ""),
            (
                format!(
                    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{slice}.slice/cri-containerd-{id}.scope"
                ),
                "containerd",
                POD,
            ),
            (
                format!("/kubepods.slice/kubepods-pod{slice}.slice/cri-containerd-{id}.scope"),
                "containerd",
                POD,
            ),
            (format!("/kubepods/besteffort/pod{POD}/{id}"), "", POD),
            (format!("/kubepods/pod{POD}/{id}"), "", POD),
            // The driver of the kubelet is systemd's and that of containerd is not.
            (
                format!(
                    "/system.slice/containerd.service/kubepods-burstable-pod{slice}.slice:cri-containerd:{id}"
                ),
                "containerd",
                POD,
            ),
            // A static pod.
            (format!("/kubepods/burstable/pod{STATIC}/{id}"), "", STATIC),
            // CRI-O: systemd and cgroupfs, with the group it makes inside.
            (
                format!(
                    "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{slice}.slice/crio-{id}.scope/container"
                ),
                "cri-o",
                POD,
            ),
            (format!("/kubepods/burstable/pod{POD}/crio-{id}"), "cri-o", POD),
            // A cluster in containers.
            (format!("/docker/{outer}/kubelet/kubepods/besteffort/pod{POD}/{id}"), "", POD),
            (
                format!(
                    "/system.slice/docker-{outer}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{slice}.slice/cri-containerd-{id}.scope"
                ),
                "containerd",
                POD,
            ),
            // podman: of root and of a user, and in a pod of its own kind.
            (format!("/machine.slice/libpod-{id}.scope/container"), "podman", ""),
            (
                format!(
                    "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{id}.scope/container"
                ),
                "podman",
                "",
            ),
            (format!("/machine.slice/machine-libpod_pod_{outer}.slice/libpod-{id}.scope"), "podman", ""),
            (format!("/libpod_parent/libpod-{id}"), "podman", ""),
            (format!("/libpod_parent/{outer}/libpod-{id}"), "podman", ""),
            // A pod that no kubelet made.
            (format!("/x/pod{POD}/{id}"), "", ""),
        ] {
            let runtime = Some(runtime).filter(|it| !it.is_empty());
            let pod = Some(pod).filter(|it| !it.is_empty()).map(str::to_owned);
            assert_eq!(container(&cgroup), Some(Container { id, runtime, pod }), "{cgroup}");
        }
        for cgroup in [
            "/user.slice/user-0.slice/session-1.scope".to_owned(),
            format!("/x/{id}0"),
            format!("/x/{}g", &id[1..]),
            // Outside, watching over it.
            format!("/machine.slice/libpod-conmon-{id}.scope"),
            format!("/system.slice/crio-conmon-{id}.scope"),
            // The kubelet's own, with no container below.
            format!("/kubepods/burstable/pod{POD}"),
            String::new(),
        ] {
            assert_eq!(container(&cgroup), None, "{cgroup}");
        }
    }
}
