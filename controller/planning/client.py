"""A client as far as a treatment needs one: pseudonymous, with the answers of the checklist.

The checklist is the union of what practitioners ask before microdermabrasion: emedicine 843957,
skin-disease-care.com/1575treatment_and_clinical_management.php, lineaclinic.co.uk/faqs,
ecoskinclinic.co.uk/post/microdermabrasion-contraindications-aftercare.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique

from controller.safety.patch_reading import PatchReading
from controller.safety.removal import Moisture


class Advice(Enum):
    """What to do when a question of the checklist is answered with yes."""

    STOP = "Do not treat; ask a clinician."
    DEFER = "Wait until the time has passed, then plan again."
    REFER = "Refer to a clinician before treating."


@unique
class Contraindication(Enum):
    """The questions: key, words for people, and the advice when the answer is yes."""

    ISOTRETINOIN = (
        "isotretinoin_6_months",
        "isotretinoin now or in the last 6 months",
        Advice.STOP,
    )
    INFECTION = ("active_infection", "herpes, warts, impetigo or another infection", Advice.STOP)
    INFLAMED = ("inflamed_skin", "weeping acne, active rosacea, eczema or dermatitis", Advice.STOP)
    BROKEN = ("broken_or_sunburnt_skin", "broken or sunburnt skin", Advice.STOP)
    LESION = ("undiagnosed_lesion", "an undiagnosed lesion or skin cancer", Advice.STOP)
    KELOID = ("keloid_history", "a history of keloid or hypertrophic scars", Advice.STOP)
    BLOOD_THINNER = ("blood_thinner", "oral blood thinners", Advice.STOP)
    SYSTEMIC = (
        "diabetes_or_autoimmune",
        "unstable diabetes or an autoimmune disorder",
        Advice.STOP,
    )
    SENSATION = ("loss_of_sensation", "loss of sensation in the zone", Advice.STOP)
    RECENT_PROCEDURE = ("recent_laser_or_surgery", "recent laser or surgery", Advice.STOP)
    PEEL = ("peel_or_injection_7_days", "a peel or injections in the last 7 days", Advice.DEFER)
    HAIR_REMOVAL = ("hair_removal_7_days", "hair removal in the last 7 days", Advice.DEFER)
    SUN = ("heavy_sun_14_days", "heavy sun in the last 14 days", Advice.DEFER)
    ACTIVES = ("acids_or_retinoids_3_days", "acids or retinoids in the last 3 days", Advice.DEFER)
    COLD_SORES = ("cold_sore_history", "a history of cold sores", Advice.REFER)
    PREGNANCY = ("pregnancy", "pregnancy", Advice.REFER)

    @property
    def key(self) -> str:
        """The name of the question in files."""
        return self.value[0]

    @property
    def words(self) -> str:
        """The question for people."""
        return self.value[1]

    @property
    def advice(self) -> Advice:
        """What a yes leads to."""
        return self.value[2]


@dataclass(frozen=True, slots=True)
class Checklist:
    """The answers: what is present, and what was never asked."""

    present: tuple[Contraindication, ...] = ()
    unanswered: tuple[Contraindication, ...] = ()

    @property
    def ok(self) -> bool:
        """True when every question was asked and answered with no."""
        return not self.present and not self.unanswered

    @staticmethod
    def of(answers: Mapping[str, bool]) -> "Checklist":
        """Return the checklist of ``answers`` by key; a question without an answer is open."""
        return Checklist(
            tuple(item for item in Contraindication if answers.get(item.key) is True),
            tuple(item for item in Contraindication if item.key not in answers),
        )


@dataclass(frozen=True, slots=True)
class Client:
    """A client reference with skin type (Fitzpatrick 1 to 6), age and agreed zones.

    ``zones`` are the zones that were agreed; None means all. ``practice`` marks the client for
    practice on simulated units, who has no history. ``skin`` is how moist the skin was found.
    """

    ref: str
    phototype: int
    age_years: int
    checklist: Checklist
    zones: tuple[str, ...] | None = None
    exclusions: tuple[str, ...] = ()
    practice: bool = False
    skin: Moisture = Moisture.UNKNOWN
    patch_readings: tuple[PatchReading, ...] = ()
