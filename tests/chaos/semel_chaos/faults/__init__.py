"""The catalogue of faults."""
from .fault import CHANNEL_OF, KIND_OF, RANGE, Fault, OfService, Wait, window  # noqa: F401
from .gateways import CutAt, Lie, OfGateway, Partition, Refuse, Reset, Slow  # noqa: F401
from .operators import CancelCampaign, HoldCampaign  # noqa: F401
from .processes import CutOff, DieDuringStep, Kill, KillAtFailpoint, Pause, StepClock, Storm  # noqa: F401
from .servers import (EmptyRedis, FailOver, FillPostgres, FillRedis, FillRedisDisk, FlushRedis, HoldPostgres, KillKafka,  # noqa: F401
                      KillPostgres, KillRedis, LoseRedis, OldRedis, PauseKafka, PauseRedis, StopKafka)
