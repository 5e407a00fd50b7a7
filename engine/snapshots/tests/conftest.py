import pytest
import redis

from engine.snapshots.tests.scene import Scene


@pytest.fixture
def scene(db: None, engine_redis: "redis.Redis", shared_redis: "redis.Redis") -> Scene:
    return Scene(engine_redis, shared_redis)
