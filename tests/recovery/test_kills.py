"""After any kill, `recover` and `up` converge: nothing in the cloud that the state does not know, nothing lost.

Seeds and counts: MBGATE_SEED, MBGATE_KILLS, MBGATE_CLOUD_KILLS; a failure names its seed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from infra.environments import processes
from infra.errors import DeployError
from tests.recovery.scene import ACCESS, MBGATE, OIDC, ROOT, SEED, Scene, kill_session

pytestmark = [pytest.mark.demo, pytest.mark.engine]
KILLS = int(os.environ.get("MBGATE_KILLS") or 10)
CLOUD_KILLS = int(os.environ.get("MBGATE_CLOUD_KILLS") or 5)
# The changes that an up or a destroy makes in the cloud, roughly: a kill after more of them finds the engine finished.
CHANGES = 14
SECONDS = 4.0


def prepare(scene: Scene, number: int) -> str:
    """Makes sure that the next command has objects to make or delete; answers the command."""
    scene.configure(ACCESS if number % 2 == 0 else OIDC)
    if number % 5 == 4:
        return "destroy"
    if number % 4 == 0:
        scene.destroy()
    return "up"


def is_nightly() -> bool:
    """Then each kill is followed by a whole check, which takes a second up."""
    return KILLS > 10


def test_the_engine_killed_anywhere(scene: Scene) -> None:
    scene.recoveries.clear()
    reached = 0
    for number in range(KILLS):
        process = scene.begin(prepare(scene, number))
        if number % 3 == 2:
            # Anywhere, also before the first change and between two.
            time.sleep(scene.random.uniform(0.2, SECONDS))
            hit = process.poll() is None
        else:
            hit = scene.await_changes(process, scene.random.randint(1, CHANGES))
        kill_session(process.pid)
        process.wait()
        reached += hit
        result = scene.recover()
        assert not result.unclaimed, f"kill {number}, seed {SEED}: {result}"
        scene.renew_metabase()
        scene.up()
        scene.check(is_whole=is_nightly() or number % 4 == 3)
    scene.check_apart()
    pending = sum(len(result.pending) for result in scene.recoveries)
    deleted = sum(len(result.deleted) for result in scene.recoveries)
    print(f"seed {SEED}: {reached} of {KILLS} kills hit a running engine, {pending} pending, {deleted} deleted")
    assert pending and (deleted or KILLS < 10), f"the kills hit nothing, seed {SEED}"


def test_a_pending_creation_with_its_object_outside(scene: Scene) -> None:
    """The same without chance: the API's answers are swallowed until the engine is killed."""
    scene.configure(ACCESS)
    scene.destroy()
    scene.recoveries.clear()
    scene.proxy.hold(lambda method, path: method == "POST" and ("/access/" in path or path.endswith("/namespaces")))
    process = scene.begin("up")
    scene.proxy.await_held(3)
    kill_session(process.pid)
    process.wait()
    scene.proxy.pass_all()
    result = scene.recover()
    assert len(result.deleted) >= 3, result
    assert not result.unclaimed
    scene.up()
    scene.check(is_whole=is_nightly())


def test_the_cloud_killed_in_the_middle(scene: Scene) -> None:
    failed = 0
    for number in range(CLOUD_KILLS):
        scene.configure(ACCESS if number % 2 == 0 else OIDC)
        if number % 4 == 0:
            scene.destroy()
        process = scene.begin("up")
        hit = scene.await_changes(process, scene.random.randint(1, CHANGES))
        scene.kill_cloud()
        code = process.wait(timeout=120)
        log = (scene.world.folder / "engine.log").read_text()
        assert "Traceback" not in log, f"cloud kill {number}, seed {SEED}: {log}"
        print(f"cloud kill {number}: hit {hit}, the engine ended with {code}")
        # A kill after the last change of all leaves an engine that has nothing more to ask.
        failed += code != 0
        if number == 0:
            with pytest.raises(DeployError, match="cloud-unreachable"):
                scene.recover(deep=True)
        processes.start(scene.world, scene.part("cloudflare-api"))
        recover_with_yes(scene)
        scene.up()
        scene.check(is_whole=is_nightly())
    assert failed, f"no kill hit a working engine, seed {SEED}"
    scene.check()


def recover_with_yes(scene: Scene) -> None:
    """A KV namespace has no creation time, so that one that the state lost needs a person's word."""
    first = scene.recover()
    assert all(line.startswith("KV namespace") for line in first.unclaimed), f"seed {SEED}: {first.unclaimed}"
    if first.unclaimed:
        assert not scene.recover(assume_yes=True).unclaimed


@pytest.mark.parametrize("wave", ["first", "second"])
def test_answers_lost_after_the_object_was_made(scene: Scene, wave: str) -> None:
    later = ("/apps", "/dns_records", "/services")
    scene.configure(ACCESS if wave == "first" else OIDC)
    scene.destroy()
    scene.configure(ACCESS)
    scene.proxy.swallow = lambda method, path: method == "POST" and (wave == "first" or path.endswith(later))
    with pytest.raises(DeployError, match="failed"):
        scene.up()
    scene.proxy.pass_all()
    assert scene.proxy.swallowed
    recover_with_yes(scene)
    scene.up()
    scene.check(is_whole=is_nightly())


def test_engine_and_recoveries_killed_one_after_the_other(scene: Scene) -> None:
    """While the engine lives, recovery refuses; a recovery killed half-way is finished by the next."""
    scene.configure(OIDC)
    scene.destroy()
    process = scene.begin("up")
    scene.await_changes(process, 4)
    with pytest.raises(DeployError, match="stack-locked"):
        scene.recover()
    # Only the engine: its plugins live on, and finish what they were asked.
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    for seconds in (0.8, 1.4):
        killed = subprocess.Popen([MBGATE, "recover"], cwd=ROOT, env=scene.environment, stdout=subprocess.DEVNULL)
        time.sleep(scene.random.uniform(seconds, seconds + 0.8))
        killed.kill()
        killed.wait()
    done = subprocess.run(
        [MBGATE, "recover", "--json"], cwd=ROOT, env=scene.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    scene.up()
    scene.check(is_whole=is_nightly())


def test_a_torn_checkpoint(scene: Scene) -> None:
    folder = scene.world.folder / "pulumi" / ".pulumi"
    file = folder / "stacks" / "mbgate" / "local.json"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    (folder / "locks" / "organization" / "mbgate" / "local").mkdir(parents=True, exist_ok=True)
    (folder / "locks" / "organization" / "mbgate" / "local" / "torn.json").write_text('{"pid": 1')
    (file.parent / "local.json.attrs").write_text("")
    result = scene.recover()
    assert result.locks and not result.unclaimed, result
    assert list((scene.world.folder / "recovered").glob("local.json.torn-*"))
    scene.up()
    scene.check(is_whole=is_nightly())


def test_a_healthy_stack_costs_little(scene: Scene) -> None:
    started = time.monotonic()
    result = scene.recover()
    seconds = time.monotonic() - started
    print(f"recover on a healthy stack: {seconds:.2f} s")
    assert not result.is_changed
    assert seconds < 5
    assert not scene.recover(deep=True).unclaimed
