"""Amazon SES: the subscription of its SNS topic, which is confirmed by asking with the token that came.

`GET /?Action=ConfirmSubscription&TopicArn=&Token=` at the topic's own region (docs.aws.amazon.com/sns,
"ConfirmSubscription"): `base_url` is like https://sns.eu-west-1.amazonaws.com. The token is all the proof it takes.
"""

from connectors.channels.ses import SUBSCRIPTION
from connectors.protocol.channel import Source
from connectors.protocol.documents import Unfit
from connectors.protocol.fetcher import Fetcher
from connectors.protocol.poller import Answered, Api, Ask, Page

CONFIRMED = b"ConfirmSubscriptionResponse"


def _ask(token: str, _: str, source: Source) -> Ask:
    return Ask(
        "",
        {
            "Action": "ConfirmSubscription",
            "Version": "2010-03-31",
            "TopicArn": str(source.options.get("topic_arn", "")),
            "Token": token,
        },
    )


def _read(answer: Answered, _: str, __: Source) -> Page:
    if CONFIRMED not in answer.body:
        raise Unfit("the answer confirms no subscription")
    return Page()


FETCHERS = (Fetcher("ses", SUBSCRIPTION, Api(None), _ask, _read),)
